"""The upkeep of the vector index: dropped before a large load, rebuilt after it, repaired after an interruption."""

from dataclasses import dataclass

from ingest_assets.domain.facts import IndexChanged
from ingest_assets.domain.search.index_policy import IndexAction, IndexPolicy, IndexState, decide
from ingest_assets.pipeline.ports.indexing import VectorIndex
from ingest_assets.pipeline.ports.observing import Observer
from ingest_assets.pipeline.ports.providers import Embedder


@dataclass(frozen=True)
class IndexKeeper:
    """Looks after the index of the model now in use."""

    index: VectorIndex
    embedder: Embedder
    policy: IndexPolicy
    observer: Observer

    def before_load(self) -> bool:
        """Drop the index if enough work waits, and return whether it did; for a worker that is about to begin."""

        def drop_only(state: IndexState) -> IndexAction:
            action = self._decide(state, state.waiting)
            return action if action is IndexAction.DROP else IndexAction.KEEP

        return self._told(self.index.keep(self.embedder.model, drop_only)) is IndexAction.DROP

    def keep(self) -> IndexAction | None:
        """Build or drop the index as the policy says, for schedules and for workers that find nothing more to do.

        While other workers still load, the last of them builds the index, unless searches cannot wait.

        Returns:
            What was done; None if another worker is building or dropping the index.
        """
        return self._told(self.index.keep(self.embedder.model, self._decide_now))

    def is_due(self) -> bool:
        """Return whether `keep` would build or drop the index."""
        state = self.index.state(self.embedder.model)
        return state is not None and self._decide_now(state) is not IndexAction.KEEP

    def _decide_now(self, state: IndexState) -> IndexAction:
        """Return what to do now; if no worker is loading, waiting documents do not count: they may wait for long."""
        return self._decide(state, state.waiting if state.loading else 0)

    def _decide(self, state: IndexState, pending: int) -> IndexAction:
        return decide(state, pending, self.policy.kind_of(self.embedder.model), self.policy)

    def _told(self, action: IndexAction | None) -> IndexAction | None:
        if action not in (None, IndexAction.KEEP):
            self.observer.observe(IndexChanged(self.embedder.model, action))
        return action
