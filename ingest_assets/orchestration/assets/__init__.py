"""The pipeline as Dagster shows it: an asset for each step, with a partition for each document."""

from importlib import import_module

import dagster as dg

from ingest_assets.pipeline.steps import STEPS

ASSETS: list[dg.AssetsDefinition] = [
    getattr(import_module(f"ingest_assets.orchestration.assets.{step.asset}"), step.asset) for step in STEPS
]
"""The asset of each step is what the module of its name calls by that name."""
