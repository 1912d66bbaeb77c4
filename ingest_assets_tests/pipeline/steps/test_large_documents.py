"""A document of 25 MB takes little more memory than its text needs."""

import subprocess
import sys
from pathlib import Path

import pytest

from ingest_assets_tests.pipeline.steps.large_document import MEASURABLE, large_markdown

MOST_MB = 200


@pytest.mark.timeout(300)
@pytest.mark.skipif(not MEASURABLE.exists(), reason="only Linux tells a process's peak of memory since a moment")
@pytest.mark.parametrize("first_character", ["A", "“"], ids=["ASCII", "curly quotes"])
def test_25_mb_add_at_most_200_mb_to_a_worker(database_url: str, tmp_path: Path, first_character: str) -> None:
    file = tmp_path / "large.md"
    file.write_bytes(large_markdown(first_character))
    command = [sys.executable, "-m", "ingest_assets_tests.pipeline.steps.large_document"]
    ran = subprocess.run(
        [*command, database_url, str(tmp_path / "home"), str(file)], stdout=subprocess.PIPE, text=True, check=True
    )
    assert int(ran.stdout) <= MOST_MB, ran.stdout
