"""The vector index comes and goes: dropped before a large load, built behind it, repaired after an interruption."""

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
        """Return whether the index was dropped because of how much waits. For a worker that is about to take it up."""

        def drop_only(state: IndexState) -> IndexAction:
            action = self._decide(state, state.waiting)
            return action if action is IndexAction.DROP else IndexAction.KEEP

        return self._told(self.index.keep(self.embedder.model, drop_only)) is IndexAction.DROP

    def keep(self) -> IndexAction | None:
        """Build or drop the index as the policy says. For a worker that finds nothing more to do, and for schedules.

        While others still load, their last one is left to build it, unless searches cannot wait.

        Returns:
            What was done; None if somebody else is building or dropping the index.
        """
        return self._told(self.index.keep(self.embedder.model, self._decide_now))

    def is_due(self) -> bool:
        """Return whether `keep` would build or drop the index."""
        state = self.index.state(self.embedder.model)
        return state is not None and self._decide_now(state) is not IndexAction.KEEP

    def _decide_now(self, state: IndexState) -> IndexAction:
        """What waits while nobody works on it may wait for long: it does not count."""
        return self._decide(state, state.waiting if state.loading else 0)

    def _decide(self, state: IndexState, pending: int) -> IndexAction:
        return decide(state, pending, self.policy.kind_of(self.embedder.model), self.policy)

    def _told(self, action: IndexAction | None) -> IndexAction | None:
        if action not in (None, IndexAction.KEEP):
            self.observer.observe(IndexChanged(self.embedder.model, action))
        return action
