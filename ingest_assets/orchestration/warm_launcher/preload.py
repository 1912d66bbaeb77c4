"""What every run would import and build for itself."""

import sys
from importlib import import_module
from pathlib import Path

import dagster as dg

IMPORTED_LATE = (
    "dagster._core.execution.plan.active",
    "dagster._core.executor.in_process",
    "dagster._core.instance.factory",
    "dagster._core.storage.local_compute_log_manager",
    "dagster._core.storage.root",
    "dagster._core.system_config.composite_descent",
    "dagster._core.utility_ops",
    "dagster._core.workspace.autodiscovery",
    "dagster_postgres",
    "psycopg2.extras",
    "upath.implementations.local",
)
"""By a run, once it needs them."""


class Preloaded:
    """A module with definitions, resolved as far as that needs no service."""

    def __init__(self, module: str) -> None:
        for name in IMPORTED_LATE:
            import_module(name)
        self._package = module.partition(".")[0]
        for value in vars(import_module(module)).values():
            if isinstance(value, dg.Definitions):
                repository = value.get_repository_def()
                for name in repository.job_names:
                    repository.get_job(name)
        self._sources = self._present_sources()

    def is_current(self) -> bool:
        """Whether the code is still what was loaded; a run must not execute an older one than it shows."""
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
