import os
import subprocess
import sys
from pathlib import Path

import dagster as dg

from ingest_assets.composition import Deployment
from ingest_assets.definitions import build_definitions
from ingest_assets.settings import Settings
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
        assert node.group_name == "ingest"
        assert node.partitions_def is not None


def test_what_a_person_starts_runs_in_one_process() -> None:
    assert build_definitions(Deployment(Settings())).executor is dg.in_process_executor
