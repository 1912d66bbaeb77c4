"""`make sbom` lists what runs in production, and what it lists depends on nothing but that."""

import json
import os
import subprocess
import sysconfig
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from supply_chain.runtime import Part, UnlikeTheLockError, runtime_parts

ROOT = Path(__file__).parents[2]
AUDIT = ROOT / ".venv/audit"
HERE = sysconfig.get_path("purelib")
SHA_256 = 64


def parts(lock: Path = ROOT / "requirements.lock") -> dict[str, Part]:
    return {part.name: part for part in runtime_parts("ingest-assets", distributions(path=[HERE]), lock)}


def test_what_runs_in_production_is_listed_with_its_hashes_and_licence_and_nothing_else() -> None:
    listed = parts()
    assert {"dagster", "psycopg", "psycopg-binary", "cryptography", "xberg"} <= listed.keys()
    assert not {"pytest", "mypy", "ruff", "hatchling", "playwright"} & listed.keys()
    assert all(part.licences for part in listed.values())
    assert all(part.hashes for name, part in listed.items() if name != "ingest-assets")
    assert {needed for part in listed.values() for needed in part.needs} | {"ingest-assets"} == listed.keys()


def test_what_is_installed_in_another_version_than_the_lock_says_is_not_listed_silently(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text((ROOT / "requirements.lock").read_text().replace("\nhttpx==", "\nhttpx==999."))
    with pytest.raises(UnlikeTheLockError, match="httpx"):
        parts(lock)


@pytest.fixture
def bill(tmp_path: Path) -> str:
    if not (AUDIT / ".installed").exists():
        pytest.skip("The audit environment is not installed: make sbom")
    return written(tmp_path, "0")


def written(folder: Path, seed: str) -> str:
    output = folder / f"{seed}.json"
    command = [str(AUDIT / "bin/python"), "-W", "error", "-m", "supply_chain.bill_of_materials", HERE, str(output)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": seed}, check=True, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == str(output)
    return output.read_text()


def test_the_bill_is_valid_and_names_each_package_once(bill: str) -> None:
    document = json.loads(bill)
    [schemas] = AUDIT.glob("lib/python*/site-packages/cyclonedx/schema/_res")

    def schema_of(address: str) -> Any:
        name = address.rpartition("/")[2].replace(".SNAPSHOT", "").replace(".schema.json", ".SNAPSHOT.schema.json")
        return json.loads((schemas / name).read_text())

    schema = schema_of("bom-1.6.schema.json")
    assert list(jsonschema_rs.validator_for(schema, retriever=schema_of).iter_errors(document)) == []
    listed = {(each["name"], each["version"]) for each in document["components"]}
    assert listed == {(part.name, part.version) for part in parts().values()} - {("ingest-assets", "0.1.0")}
    assert all(each["licenses"] for each in document["components"])
    assert all(len(each["content"]) == SHA_256 for part in document["components"] for each in part["hashes"])


def test_the_same_packages_give_the_same_bytes(bill: str, tmp_path: Path) -> None:
    assert written(tmp_path, "1") == bill


def test_the_bill_names_no_path_of_the_machine_and_no_address_of_a_registry(bill: str) -> None:
    document = json.loads(bill)
    assert document.pop("$schema").startswith("http://cyclonedx.org/")
    text = json.dumps(document)
    assert "://" not in text
    assert str(ROOT) not in text
    assert HERE not in text
