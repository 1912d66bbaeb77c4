"""The files in deploy/ as tests read them."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from documentation.settings_page import variable_of
from ingest_assets.cli.app import load_command
from ingest_assets.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
SETTINGS = {variable_of(name, each) for name, each in Settings.model_fields.items()}
OTHERS = {"AWS_REGION", "HOME", "PATH", "PGSERVICEFILE", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
"""Variables that the operating system, Python, libpq and obstore read."""
SECRET = re.compile(r"(KEY|SECRET|PASSWORD|TOKEN)$")
"""How variables end that hold a secret themselves."""


class StrictLoader(yaml.CSafeLoader):  # type: ignore[misc]  # the library is untyped
    """Refuses a key that stands twice in one mapping, of which YAML's readers otherwise drop one."""


def _mapping(loader: StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
    if twice := {key for key in keys if keys.count(key) > 1}:
        raise ValueError(f"{twice} twice, line {node.start_mark.line + 1}")
    loader.flatten_mapping(node)
    return dict(loader.construct_mapping(node, deep=True))


StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def documents_in(text: str) -> list[Any]:
    return [each for each in yaml.load_all(text, StrictLoader) if each is not None]


def assert_parses(arguments: Iterable[str]) -> None:
    """`ingest` accepts this command line."""
    name, *rest = arguments
    load_command(name).make_context(name, rest)


def assert_known(variables: Iterable[str]) -> None:
    """Each variable is a setting, or one that somebody else reads; and none holds a secret."""
    names = set(variables)
    assert names <= SETTINGS | OTHERS
    assert {name for name in names if SECRET.search(name)} == set()


def registry_of(image: str) -> str | None:
    """Return the host that the name of an image begins with, if it does."""
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else None


def strings_in(value: object) -> Iterator[str]:
    """Every text in a document, without the keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from strings_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings_in(each)
