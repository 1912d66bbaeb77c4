"""Importing beforehand what a deployment imports when it needs it."""

from importlib import import_module
from pkgutil import walk_packages

from ingest_assets import adapters

LEFT_OUT = (
    "ingest_assets.adapters.parsers.sealed.",  # runs in processes of its own
    "ingest_assets.adapters.providers.remote_parsing.transport",  # loads an HTTP client for some providers' sake
)


def import_adapters() -> None:
    """Import every adapter, for a process that is forked again and again."""
    for module in walk_packages(adapters.__path__, f"{adapters.__name__}."):
        if not module.name.startswith(LEFT_OUT):
            import_module(module.name)
