"""A short trial of a cluster on hosts of namespaces; `make cluster` makes longer ones, and measures."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ingest_assets_tests.cluster.__main__ import missing

CHECKOUT = Path(__file__).parents[2]
SECONDS = 300
FAULTS = ["restart the broker", "kill a worker host"]
"""In this order: a host that has died stays dead."""
COMMAND = [sys.executable, "-m", "ingest_assets_tests.cluster", "--rounds", "0", "--short", "--faults", *FAULTS]
FINDINGS = ("lost", "paid_twice", "stuck", "partial", "untrue_runs")
LACKS = missing("redis")


@pytest.mark.timeout(SECONDS + 30)
@pytest.mark.skipif(LACKS is not None, reason=f"no hosts of namespaces were tried: {LACKS}")
def test_a_cluster_loses_a_host_and_its_broker_and_nothing_else() -> None:
    command = [*COMMAND, "--in-flight", "12", "--lease", "5"]
    ran = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=SECONDS, check=False)
    told = ran.stdout + ran.stderr
    assert ran.stdout, told
    counts = json.loads(ran.stdout.splitlines()[-1])
    found = {name: counts[name] for name in FINDINGS if counts[name]}
    assert not found, told
    assert set(counts["faults"]) == set(FAULTS), told
    assert "ing-" not in subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
