"""The load test in miniature: whether what it counts and verifies is right, not how fast anything is."""

import json
import subprocess
import sys
from pathlib import Path

HEADLINE = {"documents_per_hour", "intake_p95_ms", "search_p95_ms", "errors", "worker_mb"}
SMALL = {
    "minutes": 0.1,
    "documents-per-hour": 7200,
    "users": 6,
    "searches-per-second": 5,
    "parse-seconds": 0.5,
    "embed-seconds": 0.1,
    "broken-every": 8,
    "settling": 4,
}


def test_a_small_load_verifies_every_document_and_ends_with_one_line_of_figures(tmp_path: Path) -> None:
    options = [word for name, value in SMALL.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "benchmarks.load", *options, "--results", str(tmp_path / "load.json")]
    ended = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    figures = json.loads(ended.stdout.splitlines()[-1])
    assert figures.keys() >= HEADLINE
    assert all(isinstance(figure, int | float) for figure in figures.values())
    assert figures["errors"] == figures["ended_wrongly"] == figures["paid_twice"] == 0
    assert figures["accepted"] == figures["searchable"] + figures["dead_letters_planned"] >= 20
    assert figures["dead_letters_planned"] >= 2
    assert figures["searches"] >= 20
    kept = json.loads((tmp_path / "load.json").read_text())
    assert kept["figures"] == figures
    assert kept["plan"]["users"] == SMALL["users"]
