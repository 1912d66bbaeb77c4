"""The fixed short set of faults over a real deployment; `make faults` runs longer ones from any seed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
SECONDS = 420
COMMAND = [sys.executable, "-m", "ingest_assets_tests.faults.harness", "--short", "--seed", "1", "--documents", "20"]


@pytest.mark.timeout(SECONDS + 30)
@pytest.mark.skipif(sys.platform != "linux", reason="the harness finds processes in /proc")
def test_a_deployment_loses_nothing_pays_nothing_twice_and_leaves_nothing_over(tmp_path: Path) -> None:
    command = [*COMMAND, "--poison", "0.2", "--report", str(tmp_path / "report.json")]
    ran = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=SECONDS, check=False)
    told = ran.stdout + ran.stderr
    assert ran.stdout, told
    counts = json.loads(ran.stdout.splitlines()[-1])
    assert counts.pop("kills") >= 5, told
    assert set(counts.values()) == {0}, told
    report = json.loads((tmp_path / "report.json").read_text())
    assert not report["missed"], told
    assert not report["notes"], told
