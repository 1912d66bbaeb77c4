"""Decide whether a model's vectors have an HNSW index, of which kind, and when to build it in bulk.

Without an index, a search compares all vectors of its user. That finds more, and up to `exact_rows` it is faster: the
index is for users with more. Inserting a row into an index costs about six times its share of a bulk build, so before
a large load it may pay to drop the index and to build it again afterwards. With P rows present and N about to come,
the policy weighs the extra cost of inserting N, 5 N, against building the present rows anew, P:

| pending / present | there is an index | there is none |
|---|---|---|
| up to 1/50 | keep it | build it |
| up to 2/5 | keep it | wait for the end of the load |
| above | drop it | wait for the end of the load |

Whatever is pending, the policy builds an index as soon as searches without it would be unbearable, and never drops one
if users would feel it. docs/decisions/0007 tells why, and how it was measured.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ingest_assets.domain.documents.document import Producer


class IndexKind(StrEnum):
    BITS = "bits"
    """Over the bits of the vectors; the cosine ranks the candidates. Only some models' bits say enough."""
    HALFVEC = "halfvec"
    """Over the vectors at half precision: for any model, at four times the cost and size."""


class IndexAction(StrEnum):
    KEEP = "keep"
    """Leave things as they are."""
    BUILD = "build"
    DROP = "drop"


LOCAL_MODELS_BY_BITS = frozenset({"lexical"})
"""Local models whose vectors' bits say enough; each provider lists its own."""
SHORTENED = re.compile(r"-\d+d$")
"""A version that matches gives fewer dimensions than are stored, and the bits of its vectors say less."""


@dataclass(frozen=True, slots=True)
class IndexCosts:
    """Costs in milliseconds per row."""

    insert: float
    build: float
    compare: float
    """The cost of comparing one row with a query, without the index."""
    exact_rows: int
    """Up to this many rows of a user, comparing all of them is better than the index."""


MEASURED = {
    IndexKind.BITS: IndexCosts(insert=2.0, build=0.3, compare=0.0004, exact_rows=200_000),
    IndexKind.HALFVEC: IndexCosts(insert=7.0, build=1.3, compare=0.0045, exact_rows=5_000),
}


@dataclass(frozen=True, slots=True)
class IndexPolicy:
    costs: Mapping[IndexKind, IndexCosts] = field(default_factory=lambda: MEASURED)
    felt: float = 100
    """The longest search, in milliseconds, during a load that an index was dropped for."""
    unbearable: float = 1000
    """The longest search, in milliseconds, during the load before the first index."""
    negligible: float = 0.1
    """If the waste is up to this share of the build, the build does not wait for the end of the load."""
    worthwhile: float = 2
    """An index is dropped if that saves this many times the cost of building it anew."""
    models_by_bits: frozenset[str] = LOCAL_MODELS_BY_BITS
    """Names of the models whose vectors' bits say enough, whether or not they are in use."""

    def kind_of(self, model: Producer) -> IndexKind:
        """Return the kind of index for a model's vectors."""
        by_bits = model.name in self.models_by_bits and not SHORTENED.search(model.version)
        return IndexKind.BITS if by_bits else IndexKind.HALFVEC


@dataclass(frozen=True, slots=True)
class IndexState:
    exists: bool
    """Whether there is a complete index; the remains of an interrupted build do not count."""
    rows: int
    """The number of vectors of the model."""
    most: int
    """The number of vectors of the user who has most of them."""
    waiting: int
    """About how many more vectors the documents in the queue will bring."""
    loading: bool
    """Whether any worker is working on those documents."""


def decide(state: IndexState, pending: int, kind: IndexKind, policy: IndexPolicy) -> IndexAction:
    """Return what to do with the index of a model.

    Args:
        state: The index and the vectors as they are now.
        pending: How many more rows are about to come.
        kind: The kind of index that the model takes.
        policy: The costs and the limits.
    """
    costs = policy.costs[kind]
    search, rebuild = state.most * costs.compare, state.rows * costs.build
    waste = pending * (costs.insert - costs.build)
    if state.exists:
        saves = waste > rebuild * policy.worthwhile and search <= policy.felt
        return IndexAction.DROP if saves or state.most <= costs.exact_rows / 2 else IndexAction.KEEP
    due = waste <= rebuild * policy.negligible or search > policy.unbearable
    return IndexAction.BUILD if due and state.most > costs.exact_rows else IndexAction.KEEP
