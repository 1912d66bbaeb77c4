"""The dashboard of those who keep it running: is it well, does it flow, how full is it."""

from collections.abc import Iterator
from datetime import timedelta

from ingest_assets.domain import metrics
from ingest_assets.domain.bounds import DAEMON_SILENT_AFTER, NEARLY_FULL, QUEUE_SENSOR
from ingest_assets.domain.dashboards.figures import Figures
from ingest_assets.domain.dashboards.measured import Measured, by_value
from ingest_assets.domain.dashboards.panels import Dashboard, Mood, Panel, Point, Ranking, Row, Series, Tile, Tiles
from ingest_assets.domain.dashboards.words import number, percent, seconds, share, size, usd
from ingest_assets.domain.predictions import TooLittle
from ingest_assets.domain.queue.flow import WINDOW, Verdict, verdict_on
from ingest_assets.domain.queue.stages import ORDER, State
from ingest_assets.domain.spans import span

HOURS = 48
"""How many hours the throughput shows."""
MOODS = {Verdict.UNATTENDED: Mood.BAD, Verdict.PAUSED: Mood.WARNING, Verdict.RETRYING: Mood.WARNING}
MEANINGS = {
    Verdict.IDLE: "Nothing waits.",
    Verdict.FLOWING: "Documents are being processed.",
    Verdict.RETRYING: "Only documents that wait for their retries are left.",
    Verdict.PAUSED: "Somebody has paused everything.",
    Verdict.UNATTENDED: "Documents wait, and nobody works on them.",
}


def operations(figures: Figures) -> Dashboard:
    """Return the dashboard of those on call."""
    measured = Measured(figures.samples)
    panels: tuple[Panel, ...] = (
        Tiles("Health", (*_health(figures), *_parts(measured))),
        _throughput(figures),
        _queue(measured),
        _errors(measured),
        _providers(measured),
        Tiles("Capacity", tuple(_capacity(measured))),
    )
    return Dashboard(
        "operations", "Whether documents flow, what waits, what fails, and how full everything is.", panels
    )


def _health(figures: Figures) -> Iterator[Tile]:
    flow = figures.flow
    verdict = verdict_on(flow, figures.pauses)
    yield Tile("Queue", verdict.value, MEANINGS[verdict], MOODS.get(verdict, Mood.GOOD))
    waiting = "" if flow.waiting_since is None else f"the first of them for {span(flow.at - flow.waiting_since)}"
    yield Tile("Waiting", number(flow.waiting), waiting)
    yield Tile("At work", number(flow.working), f"in {flow.workers} {'worker' if flow.workers == 1 else 'workers'}")
    yield Tile("Done a minute", f"{flow.per_minute:.1f}", f"in the last {span(WINDOW)}")
    yield prediction_of_work(figures)


def prediction_of_work(figures: Figures) -> Tile:
    """Return when everything that waits will be done, with the error of past predictions."""
    work = figures.work
    if isinstance(work, TooLittle):
        told = f"{work.found} of the {work.needed} finished documents that a prediction needs"
        return Tile("Backlog done in", "unknown", f"Too little history: {told}.")
    told = span(timedelta(seconds=work.seconds)) if work.seconds >= 1 else seconds(work.seconds)
    return Tile("Backlog done in", told if work.seconds else "–", " ".join(_caveats(figures)))


def _caveats(figures: Figures) -> Iterator[str]:
    work = figures.work
    if isinstance(work, TooLittle):
        return
    if verdict_on(figures.flow, figures.pauses) in (Verdict.PAUSED, Verdict.UNATTENDED):
        yield "Once somebody works on it."
    yield f"By type and size, from the last {number(work.learnt_from)} documents."
    if work.batch_error is None:
        yield "How exact such predictions are is not known yet."
    else:
        yield f"Half of such predictions in the past were off by {percent(work.batch_error)} or less."


def _parts(measured: Measured) -> Iterator[Tile]:
    answers = [measured.value(metric) for metric in (metrics.DATABASE_UP, metrics.DAGSTER_UP)]
    for name, up in zip(("Database", "Dagster's database"), answers, strict=True):
        yield Tile(name, "answers" if up else "does not answer", mood=Mood.GOOD if up else Mood.BAD)
    beats = measured.sums(metrics.HEARTBEAT_AGE, "daemon")
    if beats:
        silence = timedelta(seconds=min(beats.values()))
        heard = f"last heard of {span(silence)} ago"
        silent = silence > DAEMON_SILENT_AFTER
        yield Tile("Dagster's daemon", "silent" if silent else "at work", heard, Mood.WARNING if silent else Mood.GOOD)
    is_on = measured.value(metrics.SENSOR_ON, QUEUE_SENSOR)
    if is_on is not None:
        yield Tile("Sensor of the queue", "on" if is_on else "switched off", mood=Mood.GOOD if is_on else Mood.BAD)
    dead = sum(measured.sums(metrics.DEAD_LETTERS, "code").values())
    yield Tile("Dead letters", number(dead), mood=Mood.WARNING if dead else Mood.GOOD)


def _throughput(figures: Figures) -> Series:
    found = {each.hour: each.searchable for each in figures.hours}
    now = figures.at.replace(minute=0, second=0, microsecond=0)
    hours = [now - timedelta(hours=back) for back in reversed(range(HOURS))]
    points = tuple(Point(f"{hour:%d %b %H:00}", found.get(hour, 0), number(found.get(hour, 0))) for hour in hours)
    return Series(
        "Throughput", f"Documents that became searchable, by hour (UTC), in the last {HOURS} h.", "hour", points
    )


def _queue(measured: Measured) -> Ranking:
    oldest = measured.sums(metrics.OLDEST, "stage")
    found: dict[str, dict[str, float]] = {}
    for sample in measured.of(metrics.JOBS):
        stage, state = sample.labels
        if state != State.DONE and sample.value:
            found.setdefault(stage, {})[state] = sample.value
    states = [state.value for state in (State.QUEUED, State.WORKING, State.RETRYABLE, State.DEADLETTER)]
    rows = []
    for stage in ORDER:
        jobs = found.get(stage, {})
        if jobs:
            age = span(timedelta(seconds=oldest[stage])) if stage in oldest else ""
            counts = (number(jobs.get(state, 0)) for state in states)
            rows.append(Row((stage.value, *counts, age), sum(jobs.values())))
    about = (
        "Unfinished documents by stage and state, and how long ago the oldest one that is no dead letter was queued."
    )
    return Ranking("Queue", about, ("stage", *states, "oldest"), tuple(rows), "No document waits, and none has failed.")


def _errors(measured: Measured) -> Ranking:
    dead = measured.sums(metrics.DEAD_LETTERS, "code")
    retrying = measured.sums(metrics.RETRYABLE, "code")
    both = {code: dead.get(code, 0) + retrying.get(code, 0) for code in {*dead, *retrying}}
    rows = tuple(
        Row((code, number(dead.get(code, 0)), number(retrying.get(code, 0))), value) for code, value in by_value(both)
    )
    about = "Documents that have failed and are not done, by cause."
    return Ranking("Errors", about, ("code", "dead letters", "waiting for a retry"), rows, "None has failed.")


def _providers(measured: Measured) -> Ranking:
    outcomes: dict[str, dict[str, float]] = {}
    for sample in measured.of(metrics.CALLS_TOTAL):
        provider, outcome = sample.labels
        outcomes.setdefault(provider, {})[outcome] = sample.value
    under_way = measured.sums(metrics.UNDER_WAY, "provider")
    breakers = measured.sums(metrics.BREAKER, "provider")
    rows = []
    for provider, ended in sorted(outcomes.items()):
        calls = sum(ended.values())
        breaker = "open" if breakers.get(provider) else "closed"
        cells = (number(calls), share(ended.get("succeeded", 0), calls), number(under_way.get(provider, 0)), breaker)
        rows.append(Row((provider, *cells), calls))
    columns = ("provider", "calls", "succeeded", "under way", "breaker")
    return Ranking("Providers", "Calls since counting began.", columns, tuple(rows), "No provider was ever called.")


def _capacity(measured: Measured) -> Iterator[Tile]:
    for sample in measured.of(metrics.DISK_SIZE):
        free = measured.value(metrics.DISK_FREE, *sample.labels)
        if free is not None and sample.value:
            yield _used(f"Disk of the {sample.labels[0]}", sample.value - free, sample.value)
    memory, available = measured.value(metrics.MEMORY_SIZE), measured.value(metrics.MEMORY_AVAILABLE)
    if memory and available is not None:
        yield _used("Memory of this host", memory - available, memory)
    load = measured.value(metrics.CPU_LOAD)
    if load is not None:
        yield Tile("Load of this host", percent(load), "of its cores", Mood.WARNING if load > 1 else Mood.PLAIN)
    spent, limit = measured.value(metrics.BUDGET_SPENT), measured.value(metrics.BUDGET_LIMIT)
    if spent is not None and limit:
        mood = Mood.BAD if spent >= limit else Mood.WARNING if spent >= NEARLY_FULL * limit else Mood.GOOD
        yield Tile("Budget of today", percent(spent / limit), f"{usd(spent * 1e6)} of {usd(limit * 1e6)}", mood)
    for name, metric in (("Searchable chunks, estimated", metrics.CHUNKS), ("Workers", metrics.WORKERS)):
        value = measured.value(metric)
        if value is not None:
            yield Tile(name, number(value))
    database = measured.value(metrics.DATABASE_BYTES)
    if database is not None:
        yield Tile(
            "Database", size(database), f"{size(sum(measured.sums(metrics.INDEX_BYTES, 'relation').values()))} chunks"
        )


def _used(name: str, used: float, whole: float) -> Tile:
    mood = Mood.WARNING if used > NEARLY_FULL * whole else Mood.GOOD
    return Tile(name, percent(used / whole), f"{size(whole - used)} of {size(whole)} are free", mood)
