"""Cost per document at growing sizes: documents of one chunk through one drain run, which reports to Dagster.

From the first claim until the last document is done, reported and in the vector index; intake is not part of it. Of the
largest run also the marginal cost: seconds per document among the first and among the last that it finished.
"""

from collections.abc import Iterator, Sequence
from statistics import median

from benchmarks.deployments import fresh_home
from benchmarks.figures import Figures
from benchmarks.intake_in_bulk import take_in_notes
from benchmarks.processes import watched
from benchmarks.queue_state import finish_times, first_claim, wait_for_end
from benchmarks.sizes import Sizes


def measure(sizes: Sizes) -> Iterator[Figures]:
    smallest, largest = min(sizes.cost_documents), max(sizes.cost_documents)
    costs: dict[int, list[float]] = {}
    for documents in sizes.cost_documents:
        for _ in range(sizes.repetitions if documents == smallest else 1):
            figures = _run(documents)
            costs.setdefault(documents, []).append(figures["ms"])
            yield {f"cost_{_short(documents)}_{name}": figure for name, figure in figures.items()}
    yield {"cost_ratio_100k_to_1k": median(costs[largest]) / median(costs[smallest])}


def _run(documents: int) -> Figures:
    with fresh_home() as home:
        take_in_notes(home, documents)
        with home.start("drain") as worker, watched(worker.pid, home.postmaster) as memory:
            ended = wait_for_end(home, documents)
            worker.communicate()
        begun = first_claim(home)
        return {
            "ms": 1000 * (max(ended.indexed, ended.reported) - begun) / documents,
            "done_ms": 1000 * (ended.last - begun) / documents,
            "index_s": ended.indexed - ended.last,
            "worker_mb": memory.peaks["ingest"],
            "marginal_ratio": _marginal_ratio(finish_times(home)),
        }


def _marginal_ratio(finished: Sequence[float]) -> float:
    """Time per document of the last tenth by that of the first thousand, or tenth, without the very first ones."""
    part = len(finished) // 10
    few = min(1_000, part)
    first, last = finished[few // 5 : few + few // 5], finished[-part:]
    return ((last[-1] - last[0]) / len(last)) / ((first[-1] - first[0]) / len(first))


def _short(documents: int) -> str:
    return f"{documents // 1000}k" if documents % 1000 == 0 else str(documents)
