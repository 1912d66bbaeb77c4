import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import psycopg

from ingest_assets.composition import Deployment
from ingest_assets.definitions import build_definitions
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.queue.pauses import Paused
from ingest_assets.orchestration.assets.tables import COLUMNS, SCHEMA
from ingest_assets.orchestration.checks import queue_is_fresh, rows_agree
from ingest_assets.orchestration.jobs import DrainConfig
from ingest_assets.orchestration.resources import resources_of
from ingest_assets.settings import Settings
from ingest_assets_tests.documents import ingest, policy_text, submit
from ingest_assets_tests.orchestration.runs import NAMES

LOADS = """
import socket
def refuse(*arguments, **keywords): raise SystemExit("a connection was opened while loading")
socket.socket.connect = refuse
from ingest_assets.composition import Deployment
from ingest_assets.definitions import defs
print(sorted(key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()))
"""


def test_definitions_load_without_any_service_and_write_nothing(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "INGEST_HOME": str(tmp_path / "home")}
    ran = subprocess.run(
        [sys.executable, "-c", LOADS], env=environment, capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == str(sorted([*NAMES, "vector_index"]))
    assert not (tmp_path / "home").exists()


def test_lineage_runs_from_parsed_markdown_to_finalized_chunks() -> None:
    graph = build_definitions(Deployment(Settings())).resolve_asset_graph()
    parents = {name: {key.to_user_string() for key in graph.get(dg.AssetKey(name)).parent_keys} for name in NAMES}
    assert parents == {
        "parsed_markdown": set(),
        "chunks": {"parsed_markdown"},
        "embeddings": {"chunks"},
        "finalized_chunks": {"chunks", "embeddings"},
    }


def test_every_asset_tells_what_it_is_and_whose() -> None:
    for name in NAMES:
        node = build_definitions(Deployment(Settings())).resolve_asset_graph().get(dg.AssetKey(name))
        assert node.description
        assert node.owners
        assert node.kinds
        assert "dagster/code_references" in node.metadata
        assert node.group_name == "ingest"
        assert node.partitions_def is not None


def test_what_a_person_starts_runs_in_one_process() -> None:
    assert build_definitions(Deployment(Settings())).executor is dg.in_process_executor


def test_whatever_a_person_may_start_or_set_says_what_it_is_for() -> None:
    repository = build_definitions(Deployment(Settings())).get_repository_def()
    described = {job.name: job.description for job in repository.get_all_jobs() if not job.name.startswith("__")}
    described |= {sensor.name: sensor.description for sensor in repository.sensor_defs}
    described |= {schedule.name: schedule.description for schedule in repository.schedule_defs}
    assert "drain_queue" in described
    assert [name for name, description in described.items() if not description] == []
    limits = DrainConfig.model_fields
    assert [name for name, limit in limits.items() if limit.is_required() or not limit.description] == []


def test_assets_name_their_tables_columns_and_sources(database_url: str) -> None:
    graph = build_definitions(Deployment(Settings())).resolve_asset_graph()
    tables = {name: graph.get(dg.AssetKey(name)).metadata.get("dagster/table_name") for name in NAMES}
    assert tables == {
        "parsed_markdown": None,
        "chunks": "upload_pipeline.document_chunk_buffer",
        "embeddings": "upload_pipeline.document_vector_buffer",
        "finalized_chunks": "upload_pipeline.document_chunks",
    }
    with psycopg.connect(database_url) as connection:
        for name, columns in COLUMNS.items():
            found = connection.execute(
                "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = %s::regclass",
                [f"{SCHEMA}.{name}"],
            )
            assert {(column, kind) for column, kind, _ in columns} <= set(found)


def checked(deployment: Deployment, check: dg.AssetChecksDefinition) -> dg.AssetCheckEvaluation:
    with dg.DagsterInstance.ephemeral() as instance:
        ran = dg.materialize(
            [check], resources=resources_of(deployment), instance=instance, selection=dg.AssetSelection.checks(check)
        )
        [found] = ran.get_asset_check_evaluations()
    return found


def test_a_queue_that_stands_still_fails_its_check_unless_somebody_wants_that(
    deployment: Deployment, user: UserId, database_url: str
) -> None:
    assert checked(deployment, queue_is_fresh).passed
    submit(deployment, user, policy_text())
    assert checked(deployment, queue_is_fresh).passed
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE upload_pipeline.upload_jobs SET queued_at = now() - interval '1 hour'")
    stale = checked(deployment, queue_is_fresh)
    assert not stale.passed
    assert stale.metadata["fix"].value == "ingest doctor"
    deployment.pauses.pause(Paused())
    assert checked(deployment, queue_is_fresh).passed


def test_what_must_never_be_stored_fails_its_check(deployment: Deployment, user: UserId, database_url: str) -> None:
    ingest(deployment, user, policy_text())
    assert checked(deployment, rows_agree).passed
    with psycopg.connect(database_url) as connection:
        connection.execute("DELETE FROM upload_pipeline.upload_jobs")
    broken = checked(deployment, rows_agree)
    assert not broken.passed
    assert broken.metadata["document_without_job"].value == 1
