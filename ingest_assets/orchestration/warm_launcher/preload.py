"""Import and build what every run would otherwise import and build for itself."""

import sys
from importlib import import_module
from pathlib import Path

import dagster as dg

from ingest_assets.composition.preloading import import_adapters
from ingest_assets.orchestration.dagster_internals.late_imports import IMPORTED_LATE


class Preloaded:
    """A module with definitions, loaded and resolved as far as possible without a database."""

    def __init__(self, module: str) -> None:
        for name in IMPORTED_LATE:
            import_module(name)
        import_adapters()
        self._package = module.partition(".")[0]
        for value in vars(import_module(module)).values():
            if isinstance(value, dg.Definitions):
                repository = value.get_repository_def()
                for name in repository.job_names:
                    repository.get_job(name)
        self._sources = self._present_sources()

    def is_current(self) -> bool:
        """Return whether the loaded code is current: a run must not execute older code than Dagster shows."""
        return all(_changed(path) == changed for path, changed in self._sources.items())

    def _present_sources(self) -> dict[Path, int]:
        loaded = [module for name, module in sys.modules.items() if name.partition(".")[0] == self._package]
        paths = [Path(module.__file__) for module in loaded if module.__file__]
        return {path: _changed(path) for path in paths}


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
