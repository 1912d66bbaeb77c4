"""Submitting a folder again of which nothing has changed: the wall time of the command, its start included."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.deployments import Home, fresh_home
from benchmarks.documents import write_documents
from benchmarks.figures import Figures
from benchmarks.sizes import Sizes

WALK = """import os, sys
for folder, _, names in os.walk(sys.argv[1]):
    for name in names: os.stat(os.path.join(folder, name))"""

HASH = """import hashlib, os, sys
for folder, _, names in os.walk(sys.argv[1]):
    for name in names: hashlib.sha256(open(os.path.join(folder, name), 'rb').read()).hexdigest()"""

WORK = """SELECT (SELECT count(*) FROM upload_pipeline.upload_jobs) AS jobs,
    (SELECT count(*) FROM upload_pipeline.events) AS events"""


def measure(sizes: Sizes) -> Iterator[Figures]:
    with fresh_home() as home:
        folder = home.folder / "documents"
        files = len(write_documents(folder, sizes.unchanged_files))
        begun = time.perf_counter()
        home.ingest("submit", folder)
        first = {"intake_files_per_s": files / (time.perf_counter() - begun)}
        for _ in range(sizes.repetitions):
            yield first | {
                "noop_files_per_s": files / _resubmission(home, folder, files),
                "noop_floor_walk_files_per_s": files / _seconds_of(WALK, folder),
                "noop_floor_hash_files_per_s": files / _seconds_of(HASH, folder),
            }


def _resubmission(home: Home, folder: Path, files: int) -> float:
    """Seconds. Raises AssertionError where it made any work."""
    before = home.row(WORK)
    begun = time.perf_counter()
    results = home.ingest("submit", folder)
    seconds = time.perf_counter() - begun
    assert [result["status"] for result in results] == ["unchanged"] * files
    assert home.row(WORK) == before, "unchanged files made work"
    return seconds


def _seconds_of(program: str, folder: Path) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", program, str(folder)], check=True)
    return time.perf_counter() - begun
