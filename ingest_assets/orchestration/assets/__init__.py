"""The pipeline as Dagster shows it: one asset for each step, with one partition for each document."""

from importlib import import_module

import dagster as dg

from ingest_assets.pipeline.steps import STEPS

ASSETS: list[dg.AssetsDefinition] = [
    getattr(import_module(f"ingest_assets.orchestration.assets.{step.asset}"), step.asset) for step in STEPS
]
"""One asset for each step, in order. Module and asset have the same name."""
