"""Whether a model's vectors have an HNSW index, of which kind, and when it is built in bulk rather than row by row.

Without one, a search compares all vectors of its user, which finds more and is faster up to `exact_rows`: the index is
for users beyond. A row inserted into it costs about six times what it costs in a bulk build, so before a large load it
may be dropped, to be built behind it; with P rows present, what inserting the next N costs more than building them in,
5 N, is weighed against building what is there anew, P:

| pending / present | there is an index | there is none |
|---|---|---|
| up to 1/50 | keep it | build it |
| up to 2/5 | keep it | wait for the load's end |
| above | drop it | wait for the load's end |

Whatever is pending, an index is built as soon as searches without it would be unbearable, and never dropped where they
would be felt. docs/decisions/0007 tells why, and how it was measured.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ingest_assets.domain.documents.document import Producer


class IndexKind(StrEnum):
    BITS = "bits"
    """Over the bits of the vectors; the cosine ranks its candidates. They say enough of some models only."""
    HALFVEC = "halfvec"
    """Over the vectors at half precision: for any model, at four times the cost and the size."""


class IndexAction(StrEnum):
    KEEP = "keep"
    """Whatever there is."""
    BUILD = "build"
    DROP = "drop"


LOCAL_MODELS_BY_BITS = frozenset({"lexical"})
"""Models of this machine whose vectors' bits say enough; providers tell it of their own."""
SHORTENED = re.compile(r"-\d+d$")
"""In a version: the model gives fewer dimensions than are stored, and their bits say less."""


@dataclass(frozen=True, slots=True)
class IndexCosts:
    """Milliseconds per row."""

    insert: float
    build: float
    compare: float
    """To compare one row with a query, without the index."""
    exact_rows: int
    """Up to so many of a user's rows, comparing all of them is better than the index."""


MEASURED = {
    IndexKind.BITS: IndexCosts(insert=2.0, build=0.3, compare=0.0004, exact_rows=200_000),
    IndexKind.HALFVEC: IndexCosts(insert=7.0, build=1.3, compare=0.0045, exact_rows=5_000),
}


@dataclass(frozen=True, slots=True)
class IndexPolicy:
    costs: Mapping[IndexKind, IndexCosts] = field(default_factory=lambda: MEASURED)
    felt: float = 100
    """Milliseconds that a search may take in a load that an index was dropped for."""
    unbearable: float = 1000
    """Milliseconds that a search may take in the load that precedes the first index."""
    negligible: float = 0.1
    """Up to this share of the build, nobody waits for the rest of a load."""
    worthwhile: float = 2
    """An index is dropped where that saves this many times what building it anew costs."""
    models_by_bits: frozenset[str] = LOCAL_MODELS_BY_BITS
    """Names of the models whose vectors' bits say enough, whether or not they are in use."""

    def kind_of(self, model: Producer) -> IndexKind:
        """Return the kind of index that a model's vectors take."""
        by_bits = model.name in self.models_by_bits and not SHORTENED.search(model.version)
        return IndexKind.BITS if by_bits else IndexKind.HALFVEC


@dataclass(frozen=True, slots=True)
class IndexState:
    exists: bool
    """And is whole: what an interrupted build left does not count."""
    rows: int
    """Vectors of the model."""
    most: int
    """Of them, those of the user who has most."""
    waiting: int
    """About how many more the documents in the queue will bring."""
    loading: bool
    """Whether anybody is working on them."""


def decide(state: IndexState, pending: int, kind: IndexKind, policy: IndexPolicy) -> IndexAction:
    """`pending`: how many more rows are about to come."""
    costs = policy.costs[kind]
    search, rebuild = state.most * costs.compare, state.rows * costs.build
    waste = pending * (costs.insert - costs.build)
    if state.exists:
        saves = waste > rebuild * policy.worthwhile and search <= policy.felt
        return IndexAction.DROP if saves or state.most <= costs.exact_rows / 2 else IndexAction.KEEP
    due = waste <= rebuild * policy.negligible or search > policy.unbearable
    return IndexAction.BUILD if due and state.most > costs.exact_rows else IndexAction.KEEP
