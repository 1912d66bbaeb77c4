"""A cold backlog through the real daemon and sensor, from the moment that the sensor runs, its index included.

With it: recall@10 of what then is searched, and the memory of every process while it worked.
"""

import time
from collections.abc import Iterator

from benchmarks.bare_loop import WARM_DOCUMENTS, measure_bare_loop
from benchmarks.dagster_page import DagsterPage
from benchmarks.deployments import OWNER, Home, fresh_home, wait_until
from benchmarks.documents import write_documents
from benchmarks.figures import Figures
from benchmarks.processes import Memory, watched
from benchmarks.queue_state import Ended, finish_times, wait_for_end
from benchmarks.recall import exact_search, nearest_search, queries_from_text, recall
from benchmarks.sizes import Sizes

WORKER_SECONDS = 120
"""Within which an idle drain run should have ended."""


def measure(sizes: Sizes) -> Iterator[Figures]:
    for _ in range(sizes.repetitions):
        with fresh_home() as home:
            paths = write_documents(home.folder / "documents", sizes.documents)
            figures = _work_off(home, len(paths)) | _floor(home)
            figures["backlog_share_of_floor"] = figures["backlog_docs_per_s"] / figures["backlog_floor_docs_per_s"]
            yield figures | {"recall_at_10": _recall(home, sizes.queries)}


def _work_off(home: Home, documents: int) -> Figures:
    with home.up() as (pid, page), watched(pid, home.postmaster) as memory:
        page.stop_sensor()
        home.ingest("submit", home.folder / "documents")
        begun = time.time()
        page.start_sensor()
        ended = wait_for_end(home, documents)
        wait_until(page.is_idle, "the drain run's end", seconds=WORKER_SECONDS, every=0.5)
        return _rates(begun, ended, documents) | _memory(home, page, memory)


def _rates(begun: float, ended: Ended, documents: int) -> Figures:
    return {
        "backlog_docs_per_s": documents / (ended.indexed - begun),
        "backlog_done_docs_per_s": documents / (ended.last - begun),
        "backlog_steady_docs_per_s": (documents - 1) / (ended.last - ended.first),
        "backlog_start_s": ended.first - begun,
        "backlog_index_s": ended.indexed - ended.last,
        "backlog_report_s": ended.reported - ended.last,
    }


def _memory(home: Home, page: DagsterPage, memory: Memory) -> Figures:
    figures = {f"peak_{role}_mb": megabytes for role, megabytes in memory.peaks.items()}
    warm = finish_times(home)[:WARM_DOCUMENTS][-1]
    workers = {page.process_of(run["runId"]) for run in page.runs(pipelineName="drain_queue")}
    seen = [pid for pid in workers if pid in memory.resident]
    if seen:
        figures["worker_growth_mb"] = max(memory.growth(pid, warm) for pid in seen)
        figures["worker_peak_mb"] = max(memory.peak(pid) for pid in seen)
    return figures


def _floor(home: Home) -> Figures:
    bare = measure_bare_loop(home.deployment.database_url, home.make_database("bare"))
    return {
        "backlog_floor_docs_per_s": bare["documents"] / (bare["copy_s"] + bare["index_s"]),
        "backlog_floor_copy_docs_per_s": bare["documents"] / bare["copy_s"],
        "backlog_floor_index_s": bare["index_s"],
        "worker_floor_growth_mb": bare["growth_mb"],
    }


def _recall(home: Home, count: int) -> float:
    queries = queries_from_text(home, OWNER, count)
    vectors = [home.deployment.embedder.embed_query(query, OWNER) for query in queries]
    found, exact = (
        [search(vector) for vector in vectors] for search in (nearest_search(home, OWNER), exact_search(home, OWNER))
    )
    return recall(found, exact)
