"""Sensors and schedules that somebody has switched off in Dagster's page."""

import dagster as dg

from ingest_assets.orchestration.dagster_internals.instigators import stopped, switch_to_default


def switched_off(instance: dg.DagsterInstance) -> list[str]:
    """Return the names of the sensors and schedules that are switched off."""
    return sorted(state.name for state in stopped(instance))


def switch_on(instance: dg.DagsterInstance) -> list[str]:
    """Switch on what is switched off, since all of it is on by default, and return the names."""
    states = stopped(instance)
    for state in states:
        switch_to_default(instance, state)
    return sorted(state.name for state in states)
