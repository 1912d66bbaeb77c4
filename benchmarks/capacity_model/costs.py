"""What the model is fed with: figures of measured loads, and constants that were measured or are listed elsewhere."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEASURED_LOADS = Path(__file__).with_name("measured_loads.json")
"""Results of `make load`, as benchmarks/results/load.json has them. The costs of the model are those of the first."""

WORKER_KINDS = ("run_worker", "parser")
SHARED_KINDS = ("daemon", "code_server", "webserver", "launcher", "ingest")
"""They work as much without documents as with some."""
FEW_SEARCHES = 1.0
"""Per second; a load with fewer counts as one without searches."""


@dataclass(frozen=True, slots=True)
class MeasuredLoad:
    """One run of the load test."""

    name: str
    when: str
    machine: str
    load_before: float
    plan: Mapping[str, Any]
    settings: Mapping[str, str]
    figures: Mapping[str, float]

    @property
    def workers(self) -> int:
        """Return how many drain runs there were at most."""
        return int(self.settings.get("INGEST_DRAIN_WORKERS", "2"))

    @property
    def searches_per_second(self) -> float:
        return float(self.plan["searches_per_second"])

    def cpu_seconds(self, kind: str) -> float:
        """Return the processor time of a kind of process per document."""
        return self.figures.get(f"cpu_ms_per_document_{kind}", 0.0) / 1000


@dataclass(frozen=True, slots=True)
class Costs:
    """What one document or search costs. CPU is in seconds of one core of the measured machine."""

    worker_cpu: float
    """Of the worker, per document."""
    database_cpu: float
    """Of Postgres, per document."""
    intake_cpu: float
    """Of the HTTP service, per document."""
    search_cpu: float
    """Of the HTTP service, per search."""
    search_database_cpu: float
    """Of Postgres, per search."""
    shared_cores: float
    """Of Dagster's processes, whatever the load."""
    noticed_after: float
    """How long after its end a remote parse is noticed, in seconds."""
    chunks: float
    """Per document."""
    events: float
    """Per document."""
    row_bytes: float
    vector_bytes: float
    index_bytes: float
    """Per chunk."""
    history_bytes: float
    """Per document."""
    log_bytes: float
    """Written to the database's log per document."""
    worker_mb: float
    serve_mb: float
    shared_mb: float

    @property
    def bytes_per_document(self) -> float:
        """Return what a searchable document and its history take in the database."""
        return self.chunks * (self.row_bytes + self.vector_bytes + self.index_bytes) + self.history_bytes


def measured_loads() -> list[MeasuredLoad]:
    return [_measured(each) for each in json.loads(MEASURED_LOADS.read_text())]


def keep(name: str, results: Path, kept: Path = MEASURED_LOADS) -> None:
    """Keep the result of a load under a name, in place of an earlier one with that name."""
    loads = json.loads(kept.read_text()) if kept.exists() else []
    entry = {"name": name, **json.loads(results.read_text())}
    if name in [load["name"] for load in loads]:
        loads = [entry if load["name"] == name else load for load in loads]
    else:
        loads.append(entry)
    kept.write_text(json.dumps(loads, indent=1) + "\n")


def costs_of(loads: Sequence[MeasuredLoad]) -> Costs:
    """Return the costs that the first load shows; one without searches tells documents and searches apart."""
    first, unsearched = loads[0], next(load for load in loads if load.searches_per_second < FEW_SEARCHES)
    found = first.figures
    documents, searches = found["documents_per_hour"] / 3600, max(FEW_SEARCHES, found["searches_per_second"])

    def per_search(kind: str) -> float:
        of_documents = unsearched.cpu_seconds(kind) * documents
        return max(0.0, found[f"cores_{kind}"] - of_documents) / searches

    return Costs(
        worker_cpu=sum(map(first.cpu_seconds, WORKER_KINDS)),
        database_cpu=unsearched.cpu_seconds("postgres"),
        intake_cpu=unsearched.cpu_seconds("serve"),
        search_cpu=per_search("serve"),
        search_database_cpu=per_search("postgres"),
        shared_cores=sum(found.get(f"cores_{kind}", 0.0) for kind in SHARED_KINDS),
        noticed_after=found["parse_noticed_after_p50_s"],
        chunks=found["chunks_per_document"],
        events=found["events_per_document"],
        row_bytes=found["row_bytes_per_chunk"],
        vector_bytes=found["vector_bytes_per_chunk"],
        index_bytes=found["index_bytes_per_chunk"],
        history_bytes=found["history_bytes_per_document"],
        log_bytes=1e6 * unsearched.figures["wal_mb_per_s"] * 3600 / unsearched.figures["documents_per_hour"],
        worker_mb=found["worker_mb"],
        serve_mb=found.get("mb_serve", 0.0),
        shared_mb=sum(found.get(f"mb_{kind}", 0.0) for kind in SHARED_KINDS),
    )


def _measured(entry: Mapping[str, Any]) -> MeasuredLoad:
    machine = entry["machine"]
    return MeasuredLoad(
        name=entry["name"],
        when=entry["when"],
        machine=f"{machine['cpus']} cores of {machine['processor']}, {machine['memory_gb']} GB",
        load_before=entry["load_before"],
        plan=entry["plan"],
        settings=entry.get("settings", {}),
        figures=entry["figures"],
    )
