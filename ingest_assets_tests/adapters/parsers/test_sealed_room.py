"""What the sealed worker is made of, and what others may take from its room."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import ingest_assets

PACKAGE = Path(ingest_assets.__file__).parent
SEALED = "ingest_assets.adapters.parsers.sealed"
PROTOCOL = {f"{SEALED}.frames", f"{SEALED}.limits", f"{SEALED}.seals"}
WORKER_IMPORTS = f"""
import os, sys
from {SEALED} import worker
worker._load()
worker._start_threads()
print(*sys.modules, flush=True)
os._exit(0)  # as the worker ends: an orderly end takes the interpreter from under xberg's threads, which then abort
"""
EMPTY = {"ingest_assets", "ingest_assets.adapters", "ingest_assets.adapters.parsers"}
"""Packages that Python imports on the way to the worker."""
HEAVY = {"dagster", "httpx", "numpy", "openai", "pandas", "psycopg", "pydantic", "sqlalchemy", "typer"}


def worker_modules() -> set[str]:
    """All that the worker has imported when it reads its first byte, started as the pool starts it."""
    command = [sys.executable, "-I", "-c", WORKER_IMPORTS]
    return set(subprocess.run(command, capture_output=True, text=True, check=True, cwd="/").stdout.split())


def imports_of(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def is_below(name: str, *rooms: str) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def test_the_worker_imports_nothing_of_this_project_but_its_room_the_domain_and_posix() -> None:
    ours = {name for name in worker_modules() if is_below(name, "ingest_assets")}
    allowed = (SEALED, "ingest_assets.domain", "ingest_assets.posix")
    assert f"{SEALED}.extraction" in ours
    assert {name for name in ours - EMPTY if not is_below(name, *allowed)} == set()
    for name in EMPTY:
        tree = ast.parse((PACKAGE.parent / name.replace(".", "/") / "__init__.py").read_text())
        assert all(isinstance(node, ast.Expr) for node in tree.body), name


def test_the_worker_imports_nothing_that_reaches_a_database_or_a_service() -> None:
    assert {name.partition(".")[0] for name in worker_modules()} & HEAVY == set()


def test_nobody_outside_takes_anything_from_the_sealed_room_but_its_protocol() -> None:
    room = PACKAGE / "adapters" / "parsers" / "sealed"
    outside = [path for path in PACKAGE.rglob("*.py") if room not in path.parents]
    taken = {name for path in outside for name in imports_of(path) if is_below(name, SEALED)}
    assert taken
    assert {name for name in taken if not is_below(name, *PROTOCOL)} == set()


def test_every_function_of_the_sealed_room_is_used_there() -> None:
    """What only others call does not belong there; the protocol is for both sides."""
    room = PACKAGE / "adapters" / "parsers" / "sealed"
    trees = [ast.parse(path.read_text()) for path in room.glob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    made = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    used |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    assert {name for name in made - used if not name.startswith("__")} == set()
