"""docs/reference/settings.md: the one class of settings."""

from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from documentation.pages import code, page, table
from ingest_assets.settings import Settings

INTRODUCTION = """Every setting is an environment variable, and an empty one counts as not set. A setting without a
default is optional. `ingest up`, workers and `ingest serve` read them when they start: restart what runs after a
change. Those that name a file with a secret say when the file is read."""


def settings_page() -> str:
    """Return the page."""
    rows = [
        (code(variable_of(name, field)), _default(field), str(field.description))
        for name, field in Settings.model_fields.items()
    ]
    return page("Settings", INTRODUCTION, [table(("variable", "default", "meaning"), rows)])


def variable_of(name: str, field: FieldInfo) -> str:
    """Return the name of the environment variable."""
    return str(field.validation_alias or f"{Settings.model_config['env_prefix']}{name}".upper())


def _default(field: FieldInfo) -> str:
    default: Any = field.default
    if default is None or default is PydanticUndefined or default == ():
        return ""
    if isinstance(default, bool):
        return code(str(default).lower())
    return code(",".join(default) if isinstance(default, tuple) else str(default))
