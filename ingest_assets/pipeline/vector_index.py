"""The vector index comes and goes: dropped before a large load, built behind it, mended whatever happened."""

from ingest_assets.domain.search.index_policy import IndexAction, IndexState, decide
from ingest_assets.pipeline.services import Services


def before_load(services: Services) -> bool:
    """For a worker that is about to take up what waits: whether it dropped the index because of how much that is."""

    def drop_only(state: IndexState) -> IndexAction:
        action = _decide(services, state, state.waiting)
        return action if action is IndexAction.DROP else IndexAction.KEEP

    return services.vector_index.keep(services.embedder.model, drop_only) is IndexAction.DROP


def keep_index(services: Services) -> IndexAction | None:
    """For a worker that finds nothing more to do, and for whoever looks after the index: what was done.

    While others still load, their last one is left to build it, unless searches cannot wait. None where somebody else
    is building or dropping it.
    """
    return services.vector_index.keep(services.embedder.model, lambda state: _decide_now(services, state))


def index_is_due(services: Services) -> bool:
    """Whether `keep_index` would build or drop it."""
    state = services.vector_index.state(services.embedder.model)
    return state is not None and _decide_now(services, state) is not IndexAction.KEEP


def _decide_now(services: Services, state: IndexState) -> IndexAction:
    """What waits while nobody works on it may wait for long: it does not count."""
    return _decide(services, state, state.waiting if state.loading else 0)


def _decide(services: Services, state: IndexState, pending: int) -> IndexAction:
    policy = services.index_policy
    return decide(state, pending, policy.kind_of(services.embedder.model), policy)
