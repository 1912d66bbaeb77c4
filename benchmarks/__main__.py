"""Measures a fresh deployment on the embedded database; prints a table and writes results/latest.json.

.venv/bin/python -m benchmarks [documents]
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.bare_loop import documents_per_second
from benchmarks.documents import edit_paragraph, write_documents
from benchmarks.http_intake import post_p95_seconds
from ingest_assets.composition import Deployment
from ingest_assets.settings import Settings, sibling_database

INGEST = str(Path(sys.executable).parent / "ingest")
RESULTS = Path(__file__).parent / "results" / "latest.json"
EDITS = 10

TEXTS_EMBEDDED = """SELECT coalesce(sum((payload->>'texts_embedded')::int), 0) AS texts FROM upload_pipeline.events
WHERE payload ? 'texts_embedded'"""


def main(count: int) -> None:
    with tempfile.TemporaryDirectory(prefix="ingest-benchmark-") as folder:
        os.environ["INGEST_HOME"] = f"{folder}/home"
        paths = write_documents(Path(folder) / "documents", count)
        deployment = Deployment(Settings())
        try:
            figures = _measure(deployment, paths)
        finally:
            deployment.close()
    machine = {"cpus": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"machine": machine | {"documents": count}, "figures": figures}, indent=2) + "\n")
    for name, figure in figures.items():
        print(f"{name:32} {figure:12.3f}")


def _measure(deployment: Deployment, paths: list[Path]) -> dict[str, float]:
    figures: dict[str, float] = {}
    ingest("migrate")
    ingest("submit", str(paths[0].parent))
    _, seconds = timed("drain", "--json")
    figures["backlog_docs_per_s"] = len(paths) / seconds
    figures["backlog_floor_docs_per_s"] = _floor(deployment, paths)
    figures["backlog_share_of_floor"] = figures["backlog_docs_per_s"] / figures["backlog_floor_docs_per_s"]
    _, seconds = timed("submit", str(paths[0].parent), "--json")
    figures["noop_files_per_s"] = len(paths) / seconds
    figures["edit_texts_embedded"] = _edit(deployment, paths)
    figures["http_post_100kb_p95_s"] = post_p95_seconds(INGEST)
    return figures


def _floor(deployment: Deployment, paths: list[Path]) -> float:
    with deployment.database.connection() as connection:
        connection.execute("CREATE DATABASE bare")
    return documents_per_second(sibling_database(deployment.database_url, "bare"), paths)


def _edit(deployment: Deployment, paths: list[Path]) -> float:
    before = _texts_embedded(deployment)
    for path in paths[:EDITS]:
        edit_paragraph(path)
    ingest("submit", str(paths[0].parent))
    ingest("drain")
    return _texts_embedded(deployment) - before


def _texts_embedded(deployment: Deployment) -> int:
    with deployment.database.connection() as connection:
        row = connection.execute(TEXTS_EMBEDDED).fetchone()
    assert row is not None
    return int(row["texts"])


def timed(*arguments: str) -> tuple[Any, float]:
    begun = time.perf_counter()
    answer = json.loads(ingest(*arguments))
    return answer, time.perf_counter() - begun


def ingest(*arguments: str) -> str:
    return subprocess.run([INGEST, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
