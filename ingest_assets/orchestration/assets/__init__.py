"""The pipeline as Dagster shows it: one asset for each step, with one partition for each document."""

import warnings
from collections.abc import Sequence
from importlib import import_module

import dagster as dg

from ingest_assets.pipeline.steps import STEPS


def _with_places(assets: Sequence[dg.AssetsDefinition]) -> list[dg.AssetsDefinition]:
    """Return the assets with the places of their code, which Dagster's page shows. Dagster calls that a beta."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        return [each for each in dg.with_source_code_references(assets) if isinstance(each, dg.AssetsDefinition)]


ASSETS = _with_places(
    [getattr(import_module(f"ingest_assets.orchestration.assets.{step.asset}"), step.asset) for step in STEPS]
)
"""One asset for each step, in order. Module and asset have the same name."""
