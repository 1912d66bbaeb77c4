"""A large document takes little more memory than its text needs."""

import subprocess
import sys
from pathlib import Path

import pytest

from ingest_assets_tests.pipeline.steps.large_document import MEASURABLE, large_markdown

LARGE_BYTES = 10_000_000
"""Less than the 25 MB that a document may have, so that this is quick; memory grows with the size."""
MOST_MB = 100


@pytest.mark.timeout(600)
@pytest.mark.skipif(not MEASURABLE.exists(), reason="only Linux tells a process's peak of memory since a moment")
def test_10_mb_add_at_most_100_mb_to_a_worker(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "large.md"
    first_character = "“"  # with one such character, Python holds all others in two bytes each
    file.write_bytes(large_markdown(first_character, LARGE_BYTES))
    command = [sys.executable, "-m", "ingest_assets_tests.pipeline.steps.large_document"]
    ran = subprocess.run(
        [*command, database_url, str(tmp_path / "home"), str(file)], stdout=subprocess.PIPE, text=True, check=True
    )
    assert int(ran.stdout) <= MOST_MB, ran.stdout
