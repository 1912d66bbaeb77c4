"""How a class that `dagster.yaml` names gets its configuration.

Uses `ConfigurableClass` and `ConfigurableClassData`: every storage and launcher must have them, and Dagster exports
them from a private module only.
"""

from dagster._serdes import ConfigurableClass, ConfigurableClassData

__all__ = ["ConfigurableClass", "ConfigurableClassData"]
