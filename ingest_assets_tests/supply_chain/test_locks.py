"""Everything that is installed is pinned to bytes, and comes from nowhere in particular."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted(path.name for path in ROOT.glob("requirements*.lock"))
PIN = re.compile(r"[\w.\[\], -]+==[\w.!+]+( ; [^\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+")


def requirements(lock: str) -> list[str]:
    text = re.sub(r"(?m)^ *#.*\n?", "", (ROOT / lock).read_text())
    return [each.strip() for each in re.split(r"\n(?=\S)", text) if each.strip()]


PURPOSES = ("-audit", "-build", "-docs", "-installer", "-production", "-servers", "")


def test_there_is_a_lock_for_what_runs_what_builds_what_installs_what_audits_and_what_documents() -> None:
    assert [f"requirements{purpose}.lock" for purpose in PURPOSES] == LOCKS


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_one_version_with_its_hashes_and_no_address(lock: str) -> None:
    found = requirements(lock)
    assert found
    assert [each for each in found if not PIN.fullmatch(each)] == []
