"""Whether documents flow, in sentences, and the command that helps if they do not."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ingest_assets.cli.pauses import describe, sentence_of
from ingest_assets.domain.queue.flow import WINDOW, Flow, Verdict, verdict_on
from ingest_assets.domain.queue.pauses import Pause
from ingest_assets.domain.spans import span

FIXES = {
    Verdict.UNATTENDED: "ingest doctor",
    Verdict.PAUSED: "ingest resume",
    Verdict.RETRYING: "ingest status --failed",
}


def lines_of(flow: Flow, pauses: Sequence[Pause]) -> list[str]:
    """Return what there is to say; the verdict comes last, with the command that helps."""
    verdict = verdict_on(flow, pauses)
    return [*_figures(flow, verdict), *map(sentence_of, pauses), *_verdict(flow, verdict)]


def described(flow: Flow, pauses: list[Pause]) -> dict[str, Any]:
    """Return the same as JSON."""
    verdict = verdict_on(flow, pauses)
    fix = {"fix": FIXES[verdict]} if verdict in FIXES else {}
    remaining = flow.remaining
    return {
        "verdict": verdict.value,
        **fix,
        "waiting": flow.waiting,
        "waiting_since": _iso(flow.waiting_since),
        "retrying": flow.retrying,
        "next_retry_at": _iso(flow.next_retry_at),
        "working": flow.working,
        "workers": flow.workers,
        "abandoned": flow.abandoned,
        "done_per_minute": round(flow.per_minute, 1),
        "last_done_at": _iso(flow.finished_at),
        "remaining_seconds": None if remaining is None else round(remaining.total_seconds()),
        "sensor_looked_at": _iso(flow.looked_at),
        "pauses": describe(pauses),
    }


def last_look(flow: Flow) -> str:
    """Return when a sensor last looked at the queue, as the end of a sentence."""
    if flow.looked_at is None:
        return "no sensor has ever looked at it"
    return f"a sensor last looked at it {span(flow.at - flow.looked_at)} ago"


def _figures(flow: Flow, verdict: Verdict) -> list[str]:
    lines = []
    if flow.waiting:
        since = "" if flow.waiting_since is None else f", the first of them for {span(flow.at - flow.waiting_since)}"
        lines.append(f"Waiting: {flow.waiting}{since}.")
    if flow.working:
        lines.append(f"At work: {flow.working}, in {flow.workers} {'run' if flow.workers == 1 else 'runs'}.")
    if flow.abandoned:
        lines.append(f"Abandoned by their workers: {flow.abandoned}.")
    if flow.retrying and flow.next_retry_at is not None:
        due = span(flow.next_retry_at - flow.at)
        lines.append(f"Waiting for their retries: {flow.retrying}, the next in {due}.")
    if flow.finished:
        moves = verdict is Verdict.FLOWING and flow.remaining is not None
        rest = f" At this rate, the rest takes {span(flow.remaining)}." if moves and flow.remaining else ""
        lines.append(f"Done in the last {span(WINDOW)}: {flow.finished}, {flow.per_minute:.1f} a minute.{rest}")
    elif flow.finished_at is not None:
        lines.append(f"The last one was done {span(flow.at - flow.finished_at)} ago.")
    return lines


def _verdict(flow: Flow, verdict: Verdict) -> list[str]:
    match verdict:
        case Verdict.IDLE:
            return ["Nothing waits."]
        case Verdict.FLOWING:
            return ["Documents are being processed." if flow.working else "Documents are about to be processed."]
        case Verdict.RETRYING:
            return [f"These documents are tried again by themselves. Whether that is enough: {FIXES[verdict]}"]
        case Verdict.PAUSED:
            return []  # the pause has said it
        case Verdict.UNATTENDED:
            return [f"Nobody works on the queue: {last_look(flow)}.", f"To see why: {FIXES[verdict]}"]


def _iso(when: datetime | None) -> str | None:
    return None if when is None else when.isoformat()
