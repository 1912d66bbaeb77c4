"""A backfill in which `ingest up` is killed: Dagster's view comes to agree with the queue."""

import sys
from pathlib import Path

import pytest

from ingest_assets_tests.orchestration.runs import NAMES
from ingest_assets_tests.system.ingest import Ingest, Ui
from ingest_assets_tests.system.supervised import start
from ingest_assets_tests.system.test_backfills import submit
from ingest_assets_tests.system.test_deployment import BACKFILL, BACKFILL_STATUS, partitions
from ingest_assets_tests.waiting import until

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform != "linux", reason="the warm launcher is for Linux"),
]

RUNS = """query Runs($tag: ExecutionTag!) { runsOrError(filter: { tags: [$tag] }) { ... on Runs { results {
  status } } } }"""


def statuses(ui: Ui, backfill: str) -> list[str]:
    """How the backfill's runs stand."""
    found = ui.query(RUNS, tag={"key": "dagster/backfill", "value": backfill})["runsOrError"]["results"]
    return [run["status"] for run in found]


def outcome(ui: Ui, backfill: str) -> str:
    return str(ui.query(BACKFILL_STATUS, id=backfill)["partitionBackfillOrError"]["status"])


def test_after_a_kill_partitions_and_backfill_come_to_agree_with_the_queue(tmp_path: Path) -> None:
    ingest = Ingest(tmp_path, (("INGEST_LEASE_SECONDS", "10"),))
    running = start(ingest, tmp_path / "messages")
    ids = submit(ingest, tmp_path / "Old", 5)
    until(lambda: set(ids) <= partitions(running.ui, "materialized"))
    params = {"partitionNames": ids, "assetSelection": [{"path": [name]} for name in NAMES]}
    backfill = running.ui.query(BACKFILL, params=params)["launchPartitionBackfill"]["backfillId"]
    until(lambda: statuses(running.ui, backfill).count("STARTED") >= 2)
    running.process.kill()
    running.process.wait()
    following = start(ingest, tmp_path / "more messages")
    try:
        ui = following.ui
        until(lambda: outcome(ui, backfill).startswith("COMPLETED"))
        assert "FAILURE" in statuses(ui, backfill), "no run was killed: the test proves nothing"
        until(lambda: outcome(ui, backfill) == "COMPLETED_SUCCESS")
        for name in NAMES:
            assert partitions(ui, "failed", name) == set()
            assert partitions(ui, "materialized", name) == set(ids)
        assert ingest("status", "--json").json["jobs"] == {"embedded/done": len(ids)}
    finally:
        following.end()
