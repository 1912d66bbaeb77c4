"""Which assets of a document Dagster shows as failed: the one whose step failed.

Dagster calls failed whatever a failed run had planned and not made, and checks that it had planned and not evaluated.
One dead letter would paint the whole lineage red.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import dagster as dg

from ingest_assets.orchestration.dagster_internals.tables import delete_plans
from ingest_assets.pipeline.steps import STEPS

NAMES = [step.asset for step in STEPS]


@contextmanager
def blaming_only(asset: str, run: dg.DagsterRun, instance: dg.DagsterInstance) -> Iterator[None]:
    """If the block fails, forget that the run was to make the assets after this one, which keep what they show."""
    try:
        yield
    except Exception:
        untried = [dg.AssetKey(name) for name in NAMES[NAMES.index(asset) :]]
        with suppress(Exception):  # the block's own error must not be lost
            delete_plans(instance, run.run_id, assets=untried[1:], checked=untried)
        raise
