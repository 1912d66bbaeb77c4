"""The policy that decides whether a model's vectors have an HNSW index, of which kind, and when it is built in bulk.

Without an index, a search compares all vectors of its user, which finds more and is faster up to `exact_rows`: the
index is for users with more. A row inserted into it costs about six times what it costs in a bulk build, so the index
may be dropped before a large load and built after it. Of P rows present and N pending, inserting the N costs about 5
N more than building them in, which is weighed against P, the cost of rebuilding the index:

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
    """What an HNSW index holds of each vector."""

    BITS = "bits"
    """The bits of the vectors; the cosine ranks its candidates. Bits are precise enough for some models only."""
    HALFVEC = "halfvec"
    """The vectors at half precision: for any model, at four times the cost and the size."""


class IndexAction(StrEnum):
    """What to do about an index."""

    KEEP = "keep"
    """Change nothing, whether there is an index or not."""
    BUILD = "build"
    DROP = "drop"


LOCAL_MODELS_BY_BITS = frozenset({"lexical"})
"""Models of this machine whose vectors' bits say enough; providers tell it of their own."""
SHORTENED = re.compile(r"-\d+d$")
"""Matches versions of models that give fewer dimensions than are stored; their bits are less precise."""


@dataclass(frozen=True, slots=True)
class IndexCosts:
    """What an index costs, in milliseconds per row."""

    insert: float
    build: float
    compare: float
    """The cost of comparing one row with a query, without the index."""
    exact_rows: int
    """For a user with up to this many rows, comparing all of them is better than the index."""


MEASURED = {
    IndexKind.BITS: IndexCosts(insert=2.0, build=0.3, compare=0.0004, exact_rows=200_000),
    IndexKind.HALFVEC: IndexCosts(insert=7.0, build=1.3, compare=0.0045, exact_rows=5_000),
}


@dataclass(frozen=True, slots=True)
class IndexPolicy:
    """The costs and limits that decide about indexes."""

    costs: Mapping[IndexKind, IndexCosts] = field(default_factory=lambda: MEASURED)
    felt: float = 100
    """How many milliseconds a search may take during a load that an index was dropped for."""
    unbearable: float = 1000
    """How many milliseconds a search may take during the load before the first index."""
    negligible: float = 0.1
    """The index is built before a load ends if inserting the rest wastes at most this share of the build."""
    worthwhile: float = 2
    """An index is dropped if that saves more than this many times the cost of rebuilding it."""
    models_by_bits: frozenset[str] = LOCAL_MODELS_BY_BITS
    """Names of the models whose vectors' bits say enough, whether or not they are in use."""

    def kind_of(self, model: Producer) -> IndexKind:
        """Return the kind of index that a model's vectors take."""
        by_bits = model.name in self.models_by_bits and not SHORTENED.search(model.version)
        return IndexKind.BITS if by_bits else IndexKind.HALFVEC


@dataclass(frozen=True, slots=True)
class IndexState:
    """What there is of a model's vectors and index."""

    exists: bool
    """True for a complete index; one that an interrupted build left does not count."""
    rows: int
    """How many vectors the model has."""
    most: int
    """How many of them belong to the user who has most."""
    waiting: int
    """About how many more the queued documents will bring."""
    loading: bool
    """True while a worker is processing them."""


def decide(state: IndexState, pending: int, kind: IndexKind, policy: IndexPolicy) -> IndexAction:
    """Decide about the index, given that `pending` more rows are about to come."""
    costs = policy.costs[kind]
    search, rebuild = state.most * costs.compare, state.rows * costs.build
    waste = pending * (costs.insert - costs.build)
    if state.exists:
        saves = waste > rebuild * policy.worthwhile and search <= policy.felt
        return IndexAction.DROP if saves or state.most <= costs.exact_rows / 2 else IndexAction.KEEP
    due = waste <= rebuild * policy.negligible or search > policy.unbearable
    return IndexAction.BUILD if due and state.most > costs.exact_rows else IndexAction.KEEP
