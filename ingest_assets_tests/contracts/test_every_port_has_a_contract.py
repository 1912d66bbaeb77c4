"""Every port of the pipeline has a suite that says how its adapters must behave, and an adapter that it is run for."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PORTS = TESTS.parent / "ingest_assets" / "pipeline" / "ports"


def classes(folder: Path) -> Iterator[tuple[str, set[str]]]:
    """Give the classes below a folder with the names of their bases."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                yield node.name, {base.id for base in node.bases if isinstance(base, ast.Name)}


PROTOCOLS = sorted(name for name, bases in classes(PORTS) if "Protocol" in bases)


def test_ports_are_found_at_all() -> None:
    assert {"Claims", "Changes", "Parser", "ObjectStore"} <= set(PROTOCOLS)


@pytest.mark.parametrize("port", PROTOCOLS)
def test_a_port_has_a_contract_that_is_run_for_an_adapter(port: str) -> None:
    contract = f"{port}Contract"
    assert contract in {name for name, _ in classes(TESTS / "contracts")}
    assert [name for name, bases in classes(TESTS) if contract in bases and name.startswith("Test")]
