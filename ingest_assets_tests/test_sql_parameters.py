"""SQL is written in files and values go beside it: no statement is put together from text."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import ingest_assets

PACKAGE = Path(ingest_assets.__file__).parent
RUN = {"execute", "executemany", "copy"}
MODULES = [path for path in sorted((PACKAGE / "adapters").rglob("*.py")) if "psycopg" in path.read_text()]
COMPOSING = {
    "connections.py": "makes settings of a session, whose names and values stand in this code",
    "doors.py": "ends what a query of the catalogue has found, with the statement that the query made",
    "migrations.py": "makes a database, whose name cannot be a parameter",
    "vector_index.py": "makes an index of one model, in whose definition there can be no parameters",
}
"""These quote identifiers and the operator's model names, by psycopg.sql; nobody's data gets there."""


def statements(module: Path) -> Iterator[ast.expr]:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in RUN and node.args:
            yield node.args[0]


def is_named_query(statement: ast.expr) -> bool:
    return isinstance(statement, ast.Call) and isinstance(statement.func, ast.Name) and statement.func.id == "query"


def is_literal(statement: ast.expr) -> bool:
    return isinstance(statement, ast.Constant)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_every_statement_is_a_named_query_or_a_constant(module: Path) -> None:
    if module.name not in COMPOSING:
        for statement in statements(module):
            assert is_named_query(statement) or is_literal(statement), ast.unparse(statement)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_only_named_modules_compose_sql(module: Path) -> None:
    names = {
        alias.name
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "psycopg"
        for alias in node.names
    }
    assert ("sql" in names) == (module.name in COMPOSING)


def test_a_statement_put_together_from_text_would_be_found() -> None:
    for code in ('x.execute(f"SELECT {name}")', 'x.execute("SELECT " + name)', 'x.execute("SELECT %s" % name)'):
        [call] = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
        assert not is_named_query(call.args[0])
        assert not is_literal(call.args[0])


def test_there_is_something_to_look_at() -> None:
    assert sum(len(list(statements(module))) for module in MODULES) > 40
