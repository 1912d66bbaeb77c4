"""A command loads what it needs: most of what a short command costs is what it imports."""

import subprocess
import sys

import pytest

HEAVY = {"dagster", "numpy", "pandas", "openai", "llama_parse", "fastapi", "uvicorn", "xberg", "pypdfium2", "tiktoken"}
LOADED = """
import sys
from ingest_assets.cli import main
sys.argv[1:] = {words}
try:
    main()
except SystemExit:
    pass
sys.stdout.write("\\n" + " ".join({{name.partition(".")[0] for name in sys.modules}}))
"""
NEEDED = {
    ("--help",): set(),
    ("status",): set(),
    ("status", "--help"): set(),
    ("explain", "00000000-0000-4000-8000-000000000001"): set(),
    ("costs",): set(),
    ("search", "dental care"): {"numpy"},
}


@pytest.mark.parametrize("words", NEEDED, ids=" ".join)
def test_a_short_command_loads_nothing_heavy_that_it_does_not_need(words: tuple[str, ...], database_url: str) -> None:
    environment = {"INGEST_DATABASE_URL": database_url, "INGEST_USER_ID": "00000000-0000-4000-8000-000000000001"}
    ran = subprocess.run(
        [sys.executable, "-c", LOADED.format(words=list(words))],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(ran.stdout.rpartition("\n")[2].split())
    assert loaded & HEAVY == NEEDED[words]
    assert "ingest_assets" in loaded
