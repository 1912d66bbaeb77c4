"""Dagster's page, asked through GraphQL as a browser asks it."""

import json
import re
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

REPOSITORY = {"repositoryLocationName": "ingest_assets", "repositoryName": "__repository__"}
SENSOR = REPOSITORY | {"sensorName": "queued_jobs"}
ASSETS = ("parsed_markdown", "chunks", "embeddings", "finalized_chunks")
LIVE = ("QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING")
SECONDS = 120

READ_SENSOR = """query Sensor($sensor: SensorSelector!) { sensorOrError(sensorSelector: $sensor) {
  ... on Sensor { sensorState { id ticks(limit: 1) { status } } } } }"""

START_SENSOR = """mutation Start($sensor: SensorSelector!) { startSensor(sensorSelector: $sensor) { __typename } }"""

STOP_SENSOR = """mutation Stop($id: String!) { stopSensor(id: $id) { __typename } }"""

RUNS = """query Runs($filter: RunsFilter!) { runsOrError(filter: $filter) {
  ... on Runs { results { runId status creationTime startTime endTime } } } }"""

PROCESS = """query Process($id: ID!) { logsForRun(runId: $id, limit: 100) {
  ... on EventConnection { events { ... on EngineEvent { message } } } } }"""

BACKFILL = """mutation Backfill($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
  ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""

BACKFILL_STATUS = """query Status($id: String!) { partitionBackfillOrError(backfillId: $id) {
  ... on PartitionBackfill { status } } }"""

PARTITIONS = """query Partitions($keys: [AssetKeyInput!]) { assetNodes(assetKeys: $keys) { assetPartitionStatuses {
  ... on DefaultPartitionStatuses { materializedPartitions failedPartitions } } } }"""


@dataclass(frozen=True)
class DagsterPage:
    url: str

    def query(self, text: str, **variables: Any) -> Any:
        body = json.dumps({"query": text, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            answered = json.loads(answer.read())
        assert "errors" not in answered, answered
        return answered["data"]

    def has_ticked(self) -> bool:
        """Whether the daemon has evaluated the sensor of the queue."""
        state = self.query(READ_SENSOR, sensor=SENSOR)["sensorOrError"].get("sensorState", {})
        return any(tick["status"] in {"SKIPPED", "SUCCESS"} for tick in state.get("ticks", []))

    def stop_sensor(self) -> None:
        found = self.query(READ_SENSOR, sensor=SENSOR)["sensorOrError"]
        stopped = self.query(STOP_SENSOR, id=found["sensorState"]["id"])["stopSensor"]
        assert stopped["__typename"] == "StopSensorMutationResult", stopped

    def start_sensor(self) -> None:
        started = self.query(START_SENSOR, sensor=SENSOR)["startSensor"]
        assert started["__typename"] == "Sensor", started

    def is_idle(self) -> bool:
        return not self.runs(statuses=LIVE)

    def runs(self, **wanted: Any) -> list[dict[str, Any]]:
        """Those that a RunsFilter names, newest first; times in seconds since 1970."""
        found: list[dict[str, Any]] = self.query(RUNS, filter=wanted)["runsOrError"]["results"]
        return found

    def process_of(self, run_id: str) -> int | None:
        """Of the worker that executed the run, as its own log tells."""
        events = self.query(PROCESS, id=run_id)["logsForRun"]["events"]
        found = [re.search(r"pid: (\d+)", event["message"]) for event in events if "message" in event]
        return next((int(match[1]) for match in reversed(found) if match), None)

    def backfill(self, keys: Sequence[str]) -> str:
        """Materializes these partitions as the page's button does; the backfill's id."""
        params = {"partitionNames": list(keys), "assetSelection": [{"path": [name]} for name in ASSETS]}
        launched = self.query(BACKFILL, params=params)["launchPartitionBackfill"]
        assert "backfillId" in launched, launched
        return str(launched["backfillId"])

    def backfill_has_ended(self, backfill_id: str) -> bool:
        status = self.query(BACKFILL_STATUS, id=backfill_id)["partitionBackfillOrError"]["status"]
        return status.startswith("COMPLETED") or status in {"FAILED", "CANCELED"}

    def partitions(self, asset: str) -> tuple[set[str], set[str]]:
        """The materialized ones and the failed ones, as the page counts them."""
        [node] = self.query(PARTITIONS, keys=[{"path": [asset]}])["assetNodes"]
        statuses = node["assetPartitionStatuses"]
        return set(statuses["materializedPartitions"]), set(statuses["failedPartitions"])
