"""The figures of a load, made from what was seen."""

from collections.abc import Iterable, Iterator, Sequence
from math import inf
from statistics import quantiles

from benchmarks.figures import Figures
from benchmarks.load.callers import DOCUMENT, SEARCH, Outcome
from benchmarks.load.plan import SECONDS_PER_HOUR
from benchmarks.load.run import Seen
from benchmarks.load.unsure_providers import Answered, query_hash
from benchmarks.load.usage import WORKER
from benchmarks.load.verification import ACCEPTED, Verdict, verdict

OK = 200


def figures(seen: Seen) -> Figures:
    """Return all figures; `KEYS` of the report names the five that outsiders rely on."""
    end = verdict(seen.plan, seen.outcomes, seen.endings)
    return _headline(seen, end) | _waits(seen) | _stages(seen) | _faults(seen, end) | _processes(seen) | _database(seen)


def errors(seen: Seen, end: Verdict) -> Iterator[str]:
    """Yield what went wrong that nothing injected explains, a line each."""
    first = _first_searchable(seen)
    for outcome in seen.outcomes:
        if outcome.kind == DOCUMENT and outcome.status != ACCEPTED:
            yield f"document {outcome.number} was answered {outcome.status}"
        if outcome.kind == SEARCH and outcome.status != OK and not _provider(seen, outcome).faults:
            yield f"a search at {outcome.due:.1f} s was answered {outcome.status}"
        has_documents = first.get(outcome.user, inf) < seen.begun + outcome.due
        if outcome.kind == SEARCH and outcome.status == OK and not outcome.hits and has_documents:
            yield f"a search at {outcome.due:.1f} s found nothing"
    yield from (f"document {which} has ended wrongly" for which in end.wrong)
    if seen.providers.paid_twice:
        yield from ["paid twice"] * seen.providers.paid_twice


def _first_searchable(seen: Seen) -> dict[int, float]:
    """Return when each user's first document became searchable, in seconds since 1970."""
    first: dict[int, float] = {}
    for outcome in seen.outcomes:
        ending = seen.endings.get(outcome.document_id or "")
        if ending is not None and ending.finished is not None:
            first[outcome.user] = min(ending.finished, first.get(outcome.user, inf))
    return first


def _headline(seen: Seen, end: Verdict) -> Figures:
    own = [outcome.seconds - _provider(seen, outcome).seconds for outcome in _measured(seen, SEARCH, OK)]
    intake = [outcome.seconds for outcome in _measured(seen, DOCUMENT, ACCEPTED)]
    return {
        "documents_per_hour": documents_per_hour(seen),
        "intake_p95_ms": 1000 * percentile(intake, 95),
        "search_p95_ms": 1000 * percentile(own, 95),
        "errors": float(sum(1 for _ in errors(seen, end))),
        "worker_mb": seen.usage.largest(WORKER),
    }


def documents_per_hour(seen: Seen) -> float:
    """Return how many documents became searchable, or dead letters as planned, within the measured time, as a rate.

    The load had been running before, so as many that came earlier ended within it as came within it and ended later,
    unless the queue grew.
    """
    begin, end = seen.window
    ended = sum(ending.finished is not None and begin <= ending.finished < end for ending in seen.endings.values())
    share_of_broken = 1 / seen.plan.broken_every
    return ended / (1 - share_of_broken) / (end - begin) * SECONDS_PER_HOUR


def _waits(seen: Seen) -> Figures:
    """Return how long callers waited."""
    intake = [outcome.seconds for outcome in _measured(seen, DOCUMENT, ACCEPTED)]
    searches = list(_measured(seen, SEARCH, OK))
    own = [outcome.seconds - _provider(seen, outcome).seconds for outcome in searches]
    whole = [outcome.seconds for outcome in searches]
    provider = [_provider(seen, outcome).seconds for outcome in searches]
    late = [outcome.late for outcome in seen.outcomes if seen.plan.warm_up <= outcome.due]
    return {
        **_milliseconds("intake", intake),
        **_milliseconds("search", own),
        **_milliseconds("search_with_provider", whole),
        "search_provider_p50_ms": 1000 * percentile(provider, 50),
        "callers_late_p95_ms": 1000 * percentile(late, 95),
        "searches_per_second": len(searches) / (60 * seen.plan.minutes),
    }


def _stages(seen: Seen) -> Figures:
    """Return how long documents took that were queued within the measured time."""
    begin, end = seen.window
    measured = [ending for ending in seen.endings.values() if begin <= ending.queued < end]
    queue = [ending.begun - ending.queued for ending in measured if ending.begun is not None]
    whole = [ending.finished - ending.queued for ending in measured if ending.finished is not None]
    return {
        "queue_wait_p50_s": percentile(queue, 50),
        "queue_wait_p95_s": percentile(queue, 95),
        "searchable_p50_s": percentile(whole, 50),
        "searchable_p95_s": percentile(whole, 95),
        "queue_ended_after_s": seen.queue_ended - end,
        "parse_noticed_after_p50_s": percentile(seen.providers.noticed_after, 50),
        "parse_noticed_after_p95_s": percentile(seen.providers.noticed_after, 95),
        "parses_in_flight": float(seen.providers.in_flight),
        "polls_per_parse": seen.providers.polls / max(1, len(seen.providers.noticed_after)),
    }


def _faults(seen: Seen, end: Verdict) -> Figures:
    searches = [outcome for outcome in seen.outcomes if outcome.kind == SEARCH]
    return {
        "accepted": float(sum(outcome.status == ACCEPTED for outcome in seen.outcomes)),
        "searchable": float(end.searchable),
        "dead_letters_planned": float(end.dead_as_planned),
        "ended_wrongly": float(len(end.wrong)),
        "searches": float(len(searches)),
        "searches_failed_as_injected": float(
            sum(outcome.status != OK and _provider(seen, outcome).faults > 0 for outcome in searches)
        ),
        "faults_injected": float(sum(seen.providers.faults.values())),
        "paid_twice": float(seen.providers.paid_twice),
        "paid_again_for_lost_answers": float(seen.providers.lost_uploads),
    }


def _processes(seen: Seen) -> Figures:
    begin, end = seen.window
    documents = max(1.0, documents_per_hour(seen) * (end - begin) / SECONDS_PER_HOUR)
    cpu = seen.usage.cpu_seconds(begin, end) | {"harness": seen.harness_cpu}
    grown = seen.usage.growth(begin, end)
    return {
        **{f"cores_{kind}": seconds / (end - begin) for kind, seconds in cpu.items()},
        **{f"cpu_ms_per_document_{kind}": 1000 * seconds / documents for kind, seconds in cpu.items()},
        **{f"mb_{kind}": seen.usage.largest(kind) for kind in seen.usage.memory},
        **{f"growth_mb_{kind}": megabytes for kind, megabytes in grown.items()},
        "worker_pss_mb": seen.usage.worker_pss,
        "cores_others": max(0.0, (seen.usage.busy_seconds(begin, end) - sum(cpu.values())) / (end - begin)),
    }


def _database(seen: Seen) -> Figures:
    begin, end = seen.window
    held, chunks = seen.held, max(1, seen.held["chunks"])
    return {
        "chunks_per_document": held["chunks"] / max(1, held["documents"]),
        "events_per_document": held["events"] / max(1, held["documents"]),
        "row_bytes_per_chunk": held["chunk_rows"] / chunks,
        "vector_bytes_per_chunk": held["chunk_vectors"] / chunks,
        "index_bytes_per_chunk": held["chunk_indexes"] / chunks,
        "history_bytes_per_document": held["history"] / max(1, held["documents"]),
        "wal_mb_per_s": seen.written["bytes"] / 1e6 / (end - begin),
        "commits_per_s": seen.written["commits"] / (end - begin),
    }


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the value below which this many of a hundred are; 0 if there are none."""
    if len(values) < 2:
        return values[0] if values else 0.0
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def _milliseconds(name: str, seconds: Sequence[float]) -> Figures:
    return {f"{name}_p{percent}_ms": 1000 * percentile(seconds, percent) for percent in (50, 95, 99)}


def _measured(seen: Seen, kind: str, status: int) -> Iterable[Outcome]:
    return (
        outcome
        for outcome in seen.outcomes
        if outcome.kind == kind and outcome.status == status and outcome.due >= seen.plan.warm_up
    )


def _provider(seen: Seen, outcome: Outcome) -> Answered:
    """Return how the embedding provider answered the query of a search; not at all, if it was not asked."""
    return seen.providers.queries.get(query_hash(outcome.query or ""), Answered())
