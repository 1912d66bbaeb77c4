"""Pressing the button: for every failed document, the command that `ingest explain` prints is run, as it is."""

import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ingest_assets_tests.faults.harness.checks.findings import jobs, unfinished
from ingest_assets_tests.faults.harness.deployment.patient import Patient
from ingest_assets_tests.faults.harness.documents.library import Paper

PATIENCE_SECONDS = 120
POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Pressed:
    paper: Paper
    code: str | None
    """The reason before."""
    fix: str
    told: str
    """What the command said: the status of the document, or the code of its error."""
    landed: bool
    code_after: str | None


def press(patient: Patient, papers: Sequence[Paper]) -> list[Pressed]:
    """Run the command for each of these documents that failed, and wait for what becomes of them."""
    before = jobs(patient)
    run: list[tuple[Paper, str | None, str, str]] = []
    for paper in papers:
        if paper.document_id not in before or before[paper.document_id].state not in ("deadletter", "retryable"):
            continue
        code = before[paper.document_id].code
        fix = _fix(patient, paper)
        run.append((paper, code, fix, _follow(patient, paper, fix) if fix else "no command"))
    wait_for_the_end(patient)
    after = jobs(patient)
    return [Pressed(paper, code, fix, told, *_outcome(paper, after)) for paper, code, fix, told in run]


def _fix(patient: Patient, paper: Paper) -> str:
    ran = patient.command("explain", paper.document_id, "--json")
    if ran is None or ran.code != 0:
        patient.complaints.append(f"`ingest explain` failed for document {paper.number}")
        return ""
    return str(ran.json.get("fix", ""))


def _follow(patient: Patient, paper: Paper, fix: str) -> str:
    program, *arguments = shlex.split(fix)
    if program != "ingest":
        return f"not a command of ingest: {program}"
    if arguments[0] == "submit" and "--user" not in arguments:
        arguments += ["--user", str(paper.user)]
    ran = patient.command(*arguments, "--json")
    if ran is None:
        return "hangs"
    if ran.code != 0 and not ran.stdout.strip():
        return str(ran.error.get("code"))
    if arguments[0] == "submit":
        patient.note_accepted(ran.stdout, {str(paper.path): paper.written})
    return _status(ran.json)


def _status(told: Any) -> str:
    first = told[0] if isinstance(told, list) and told else told
    return str(first.get("status", first)) if isinstance(first, dict) else str(first)


def _outcome(paper: Paper, after: dict[Any, Any]) -> tuple[bool, str | None]:
    job = after.get(paper.document_id)
    if job is None:
        return False, "gone"
    return job.searchable == paper.written and job.state == "done", job.code


def wait_for_the_end(patient: Patient, seconds: float = PATIENCE_SECONDS) -> bool:
    """Wait until no job is unfinished; whether that came."""
    deadline = time.monotonic() + seconds
    while left := unfinished(patient):
        if time.monotonic() > deadline:
            break
        time.sleep(POLL_SECONDS)
    return not left
