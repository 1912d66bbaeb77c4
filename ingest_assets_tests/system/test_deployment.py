"""A whole deployment: `ingest up` in one process, everything else from outside."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ingest_assets_tests.conftest import CORPUS
from ingest_assets_tests.documents import policy_text
from ingest_assets_tests.orchestration.runs import NAMES
from ingest_assets_tests.system.ingest import Ingest, Ui
from ingest_assets_tests.waiting import until

pytestmark = pytest.mark.timeout(600)
needs_corpus = pytest.mark.skipif(
    not CORPUS.is_dir(), reason=f"the corpus is not at {CORPUS.name}: nothing real is tried"
)

SELECTOR = {"repositoryLocationName": "ingest_assets", "repositoryName": "__repository__"}

NODES = """query Nodes($keys: [AssetKeyInput!]) { assetNodes(assetKeys: $keys) {
  assetKey { path } description kinds groupName dependencyKeys { path } dependedByKeys { path }
  assetPartitionStatuses { ... on DefaultPartitionStatuses { materializedPartitions failedPartitions } } } }"""

LAUNCH = """mutation Launch($params: ExecutionParams!) { launchPipelineExecution(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""

BACKFILL = """mutation Backfill($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""

BACKFILL_STATUS = """query Status($id: String!) { partitionBackfillOrError(backfillId: $id) {
  ... on PartitionBackfill { status numPartitions } } }"""

RUN = """query Run($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"""

ENDED = {"SUCCESS", "FAILURE", "CANCELED"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("a home with spaces")


@pytest.fixture(scope="module")
def ingest(home: Path) -> Ingest:
    return Ingest(home)


@pytest.fixture(scope="module")
def ui(ingest: Ingest) -> Iterator[Ui]:
    with ingest.up() as running:
        yield running


@pytest.fixture
def owner() -> str:
    return str(uuid4())


def nodes(ui: Ui) -> dict[str, Any]:
    found = ui.query(NODES, keys=[{"path": [name]} for name in NAMES])["assetNodes"]
    return {node["assetKey"]["path"][0]: node for node in found}


def partitions(ui: Ui, status: str, asset: str = "finalized_chunks") -> set[str]:
    return set(nodes(ui)[asset]["assetPartitionStatuses"][f"{status}Partitions"])


def launch(ui: Ui, document_id: str, assets: list[str]) -> str:
    """Materializes a partition as the page's button does; how the run ended."""
    params = {
        "selector": SELECTOR
        | {
            "jobName": "__ASSET_JOB",
            "assetSelection": [{"path": [name]} for name in assets],
            "assetCheckSelection": [],
        },
        "mode": "default",
        "executionMetadata": {"tags": [{"key": "dagster/partition", "value": document_id}]},
    }
    launched = ui.query(LAUNCH, params=params)["launchPipelineExecution"]
    assert launched["__typename"] == "LaunchRunSuccess", launched

    def ended() -> str | None:
        status = ui.query(RUN, id=launched["run"]["runId"])["runOrError"]["status"]
        return status if status in ENDED else None

    return str(until(ended))


def test_the_lineage_of_the_four_assets_is_shown(ui: Ui) -> None:
    shown = nodes(ui)
    assert set(shown) == set(NAMES)
    assert [key["path"] for key in shown["chunks"]["dependencyKeys"]] == [["parsed_markdown"]]
    assert [key["path"] for key in shown["chunks"]["dependedByKeys"]] == [["embeddings"], ["finalized_chunks"]]
    assert all(node["description"] and node["kinds"] for node in shown.values())


@needs_corpus
def test_real_insurance_documents_become_searchable(ingest: Ingest, ui: Ui, owner: str) -> None:
    submitted = ingest("submit", CORPUS / "insurance", "--user", owner, "--wait", "--json")
    assert submitted.code == 0, submitted.stderr
    assert len(submitted.json) == 4
    for each in submitted.json:
        status = ingest("status", each["document_id"], "--json").json
        assert (status["stage"], status["state"], status["searchable"]) == ("embedded", "done", True)
    found = ingest("search", "What is covered for emergency services?", "--user", owner, "--json").json
    assert {"document_id", "chunk_id", "score", "text", "heading_path", "page", "filename"} <= set(found[0])
    assert "Northwind_Health_Plus_Benefits_Details.pdf" in {hit["filename"] for hit in found[:3]}
    assert any("emergency" in hit["text"].lower() and hit["page"] and hit["heading_path"] for hit in found[:3])
    again = ingest("submit", CORPUS / "insurance", "--user", owner, "--json")
    assert {each["status"] for each in again.json} == {"unchanged"}
    until(lambda: {each["document_id"] for each in submitted.json} <= partitions(ui, "materialized"))


@needs_corpus
def test_every_format_is_searchable_or_explained(ingest: Ingest, ui: Ui, owner: str) -> None:
    submitted = ingest("submit", CORPUS / "formats", "--user", owner, "--wait", "--json")
    for each in submitted.json:
        if each["document_id"] is None:
            assert each["code"]
            assert each["hint"]
            continue
        explained = ingest("explain", each["document_id"], "--json").json
        assert explained["searchable"] or (explained["cause"] and explained["code"] and explained["fix"])
    codes = {Path(each["path"]).name: each.get("code") for each in submitted.json}
    assert len(codes) == len(list((CORPUS / "formats").iterdir()))


def test_a_single_partition_can_be_materialized_from_the_page(
    ingest: Ingest, ui: Ui, owner: str, tmp_path: Path
) -> None:
    (tmp_path / "policy.md").write_text(policy_text())
    [submitted] = ingest("submit", tmp_path, "--user", owner, "--wait", "--json").json
    assert launch(ui, submitted["document_id"], NAMES) == "SUCCESS"
    assert ingest("status", submitted["document_id"], "--json").json["state"] == "done"


def test_a_failing_document_is_a_failed_partition_and_turns_green_after_its_retry(
    ingest: Ingest, ui: Ui, owner: str, tmp_path: Path, home: Path
) -> None:
    (tmp_path / "policy.md").write_text(policy_text())
    [submitted] = ingest("submit", tmp_path, "--user", owner, "--wait", "--json").json
    document_id = submitted["document_id"]
    stored = next(path for path in (home / "ingest" / "objects").rglob(document_id + "/*") if path.suffix != ".md")
    content = stored.read_bytes()
    stored.write_bytes(b"damaged")
    assert launch(ui, document_id, NAMES) == "FAILURE"
    assert document_id in partitions(ui, "failed", "parsed_markdown")
    explained = ingest("explain", document_id, "--json").json
    assert (explained["code"], explained["searchable"]) == ("content_missing", True)
    stored.write_bytes(content)
    assert ingest("retry", document_id, "--json").code == 0
    until(lambda: ingest("status", document_id, "--json").json["state"] == "done")
    until(lambda: document_id not in partitions(ui, "failed", "parsed_markdown"))
    assert document_id in partitions(ui, "materialized")


def test_a_backfill_of_all_partitions_reaches_its_end(ingest: Ingest, ui: Ui, owner: str, tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / f"{number}.md").write_text(policy_text(f"Subject {number}", 3))
    submitted = ingest("submit", tmp_path, "--user", owner, "--wait", "--json").json
    ids = [each["document_id"] for each in submitted]
    until(lambda: set(ids) <= partitions(ui, "materialized"))
    params = {"partitionNames": ids, "assetSelection": [{"path": [name]} for name in NAMES]}
    launched = ui.query(BACKFILL, params=params)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched

    def ended() -> str | None:
        status = ui.query(BACKFILL_STATUS, id=launched["backfillId"])["partitionBackfillOrError"]["status"]
        return status if status.startswith("COMPLETED") or status in {"FAILED", "CANCELED"} else None

    assert until(ended) == "COMPLETED_SUCCESS"
    assert set(ids) <= partitions(ui, "materialized")


def test_a_second_up_on_the_same_home_is_refused(ingest: Ingest, ui: Ui) -> None:
    refused = ingest("up", "--json")
    assert (refused.code, refused.error["code"]) == (1, "home_in_use")


def test_a_deleted_document_is_gone_from_searches_storage_and_partitions(
    ingest: Ingest, ui: Ui, owner: str, tmp_path: Path, home: Path
) -> None:
    (tmp_path / "policy.md").write_text(policy_text("Zebra"))
    [submitted] = ingest("submit", tmp_path, "--user", owner, "--wait", "--json").json
    document_id = submitted["document_id"]
    assert ingest("search", "zebra", "--user", owner, "--json").json
    assert ingest("delete", document_id, "--json").code == 0
    assert ingest("search", "zebra", "--user", owner, "--json").json == []
    assert not list((home / "ingest" / "objects").rglob(document_id + "/*"))
    assert document_id not in partitions(ui, "materialized")
    [again] = ingest("delete", document_id, "--json").json
    assert again == {"document_id": document_id, "status": "deleted"}


def test_doctor_finds_everything_in_order(ingest: Ingest, ui: Ui) -> None:
    examined = ingest("doctor", "--json")
    assert examined.code == 0, examined.stdout
    assert all(check["ok"] for check in examined.json)
