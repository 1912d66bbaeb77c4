"""Every import keeps to the layers, and what belongs to one room is imported in that room only."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ingest_assets"

ROOMS = {
    "ingest_assets.adapters": ("adapters", "composition"),
    "psycopg": ("adapters",),
    "psycopg_pool": ("adapters",),
    "pgvector": ("adapters",),
    "openai": ("adapters",),
    "llama_parse": ("adapters",),
    "httpx": ("adapters",),
    "botocore": ("adapters",),
    "watchfiles": ("adapters",),
    "xberg": ("adapters/parsers/sealed",),
    "pypdfium2": ("adapters/parsers/sealed",),
    "dagster": ("orchestration", "definitions.py"),
    "dagster._": ("orchestration/dagster_internals",),
    "celery": ("orchestration/cluster",),
    "dagster_celery": ("orchestration/cluster",),
    "kombu": ("orchestration/cluster",),
    "fastapi": ("http",),
    "prometheus_client": ("http",),
    "jinja2": ("dashboards",),
    "typer": ("cli",),
    "rich": ("cli",),
}
"""What may be imported in these rooms only; a name that ends with "_" stands for all that begin so."""


def test_imports_follow_the_layers() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    ran = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("name", ROOMS)
def test_what_belongs_to_a_room_is_imported_there_only(name: str) -> None:
    outside = {str(path) for path in _importing(name) if not str(path).startswith(ROOMS[name])}
    assert not outside


@pytest.mark.parametrize("name", ROOMS)
def test_what_belongs_to_a_room_is_imported_there(name: str) -> None:
    """Else the rule above would be about nothing."""
    assert any(_importing(name))


def test_the_domain_imports_nothing_that_does_anything() -> None:
    outside = {"os", "random", "time", "subprocess", "socket", "threading", "logging", "pydantic", "pandas"}
    found = {(path, name) for path in (PACKAGE / "domain").rglob("*.py") for name in _imported(path)}
    assert not [each for each in found if each[1].partition(".")[0] in outside]


def _importing(name: str) -> Iterator[Path]:
    for path in PACKAGE.rglob("*.py"):
        if any(_is_part(imported, name) for imported in _imported(path)):
            yield path.relative_to(PACKAGE)


def _is_part(imported: str, name: str) -> bool:
    return imported.startswith(name) if name.endswith("_") else f"{imported}.".startswith(f"{name}.")


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
