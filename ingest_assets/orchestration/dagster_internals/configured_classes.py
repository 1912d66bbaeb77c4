"""How a class that `dagster.yaml` names gets its configuration.

This module uses `ConfigurableClass` and `ConfigurableClassData`: every storage and launcher needs them, but Dagster
exports them only from a private module.
"""

from dagster._serdes import ConfigurableClass, ConfigurableClassData

__all__ = ["ConfigurableClass", "ConfigurableClassData"]
