"""The switches of sensors and schedules.

This module uses `all_instigator_state` and `delete_instigator_state` of the instance: Dagster's own functions for
switching need the remote definitions, which only a running code server has. Without a stored state, a sensor or
schedule is as its definition says.
"""

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus


def stopped(instance: dg.DagsterInstance) -> list[InstigatorState]:
    """Return the states of what was switched off by hand."""
    return list(instance.all_instigator_state(instigator_statuses={InstigatorStatus.STOPPED}))


def switch_to_default(instance: dg.DagsterInstance, state: InstigatorState) -> None:
    """Forget that somebody has switched it."""
    instance.delete_instigator_state(state.instigator_origin_id, state.selector_id)
