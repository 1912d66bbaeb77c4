"""A backlog of small PDFs through the outside services, which the tests emulate: LlamaParse parses, OpenAI embeds.

Through the real daemon and sensor, with the defaults of a deployment; the services take their time, the machine has
little to do.
"""

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.bare_client import bare_client_seconds
from benchmarks.dagster_page import DagsterPage
from benchmarks.deployments import Home, fresh_home, wait_until
from benchmarks.emulated_services import Seen, Services, emulated_services
from benchmarks.figures import Figures
from benchmarks.processes import Memory, watched
from benchmarks.queue_state import finish_times, wait_until_done
from benchmarks.sizes import Sizes
from ingest_assets_tests.sample_files import pdf

PER_HOUR = 3_600
LINES = 12
CROWD = {"INGEST_DRAIN_WORKERS": "1", "INGEST_PARSES_IN_FLIGHT": "200", "INGEST_EMBEDDINGS_IN_FLIGHT": "64"}
WORKER_SECONDS = 120
"""Within which an idle drain run should have ended."""


def measure(sizes: Sizes) -> Iterator[Figures]:
    for _ in range(sizes.repetitions):
        with fresh_home() as home:
            paths = write_pdfs(home.folder / "documents", sizes.provider_documents)
            yield _work_off(home, paths, sizes) | _floor(paths, sizes)
    with fresh_home() as home:
        paths = write_pdfs(home.folder / "documents", sizes.provider_documents)
        yield _crowd(home, paths, sizes)


def write_pdfs(folder: Path, count: int) -> list[Path]:
    """Write PDFs of two pages, each page different from every other."""
    folder.mkdir(parents=True)
    paths = [folder / f"policy-{number:05}.pdf" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(pdf(_page(number, 1), _page(number, 2)))
    return paths


def _page(document: int, page: int) -> str:
    return "\n".join(f"Clause {page}.{line} of policy {document}: item {line} is covered." for line in range(LINES))


def _work_off(home: Home, paths: list[Path], sizes: Sizes) -> Figures:
    with emulated_services(sizes.parse_seconds, sizes.embed_seconds) as services:
        begun, workers = _drain(home, paths, services)
    assert services.seen is not None
    return rates(begun, finish_times(home), services.seen) | workers | _calls(services.seen, len(paths))


def _crowd(home: Home, paths: list[Path], sizes: Sizes) -> Figures:
    """Work off the same with one worker that may have as many calls in flight as the settings take."""
    with emulated_services(sizes.parse_seconds, sizes.embed_seconds) as services:
        _, workers = _drain(home, paths, services, **CROWD)
    assert services.seen is not None
    return {
        "crowd_parses_in_flight": float(services.seen.in_flight),
        "crowd_embeddings_in_flight": float(services.seen.embeddings_in_flight),
        **{name.replace("providers_", "crowd_"): figure for name, figure in workers.items()},
    }


def _drain(home: Home, paths: list[Path], services: Services, **settings: str) -> tuple[float, Figures]:
    """Return when the queue was looked at first, and the workers' figures."""
    with home.up(**services.environment, **settings) as (pid, page), watched(pid, home.postmaster) as memory:
        page.stop_sensor()
        home.ingest("submit", home.folder / "documents")
        begun = time.time()
        page.start_sensor()
        wait_until_done(home, len(paths))
        wait_until(page.is_idle, "the drain runs' end", seconds=WORKER_SECONDS, every=0.5)
        return begun, _workers(page, memory)


def rates(begun: float, finished: list[float], seen: Seen) -> Figures:
    """Return documents per hour; those that all began together and so came at once do not count as a rate."""
    figures = {
        "providers_whole_docs_per_hour": PER_HOUR * len(finished) / (finished[-1] - begun),
        "providers_start_s": finished[0] - begun,
        "providers_in_flight": float(seen.in_flight),
    }
    if seen.in_flight < len(finished) / 2:
        later = len(finished) - seen.in_flight
        figures["providers_docs_per_hour"] = PER_HOUR * later / (finished[-1] - finished[0])
    return figures


def _workers(page: DagsterPage, memory: Memory) -> Figures:
    """Return the number of drain runs, and the most that the process of one had resident."""
    runs = page.runs(pipelineName="drain_queue")
    seen = [pid for pid in {page.process_of(run["runId"]) for run in runs} if pid in memory.resident]
    figures = {"providers_workers": float(len(runs))}
    if seen:
        figures["providers_worker_mb"] = max(memory.peak(pid) for pid in seen)
    return figures


def _calls(seen: Seen, documents: int) -> Figures:
    return {
        "providers_polls_per_doc": seen.polls / documents,
        "providers_embeddings_per_doc": seen.embeddings / documents,
    }


def _floor(paths: list[Path], sizes: Sizes) -> Figures:
    with emulated_services(sizes.parse_seconds, sizes.embed_seconds) as services:
        seconds = bare_client_seconds(services, paths)
    return {"providers_floor_docs_per_hour": PER_HOUR * len(paths) / seconds}
