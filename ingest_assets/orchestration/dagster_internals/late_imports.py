"""Modules that Dagster imports only when a run needs them.

This module only names them. The warm server imports them before it forks, so that runs need not.
"""

IMPORTED_LATE = (
    "dagster._core.execution.plan.active",
    "dagster._core.executor.in_process",
    "dagster._core.instance.factory",
    "dagster._core.storage.noop_compute_log_manager",
    "dagster._core.storage.root",
    "dagster._core.system_config.composite_descent",
    "dagster._core.utility_ops",
    "dagster._core.workspace.autodiscovery",
    "dagster_postgres",
    "psycopg2.extras",
    "upath.implementations.local",
)
