"""The end of a run: faults have stopped, and what must hold is looked at, before and after the deployment stops."""

import time
from collections.abc import Sequence

from ingest_assets_tests.faults.harness.checks import findings
from ingest_assets_tests.faults.harness.checks.payments import Disturbance, payments
from ingest_assets_tests.faults.harness.deployment import tree
from ingest_assets_tests.faults.harness.deployment.patient import Patient
from ingest_assets_tests.faults.harness.remedies import Pressed, press, wait_for_the_end
from ingest_assets_tests.faults.harness.report import Result, counted, say

INTAKE_SECONDS = 90
END_SECONDS = 400
"""The longest wait for whatever is scheduled."""
POLL_SECONDS = 0.5

TOKENS = "SELECT coalesce(sum(tokens), 0)::bigint AS tokens FROM upload_pipeline.paid_calls WHERE service = 'openai'"


def judge(patient: Patient, result: Result, disturbances: Sequence[Disturbance]) -> None:
    """Look at everything while the deployment runs."""
    _finish_intake(patient, result)
    _wait_for_what_is_due(patient, result)
    _press_buttons(patient, result)
    result.lost += findings.lost(patient)
    result.notes += findings.breaches(patient)
    _look_at_payments(patient, result, disturbances)
    result.documents = len(patient.library.papers)
    result.facts["documents"] = result.documents
    result.notes += counted(patient.complaints)


def _finish_intake(patient: Patient, result: Result) -> None:
    """Let owners repeat what failed until it is accepted."""
    deadline = time.monotonic() + INTAKE_SECONDS
    while not patient.submit_pending() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    for paper in patient.library.papers:
        if paper.deleting and not paper.deleted:
            patient.delete(paper)
            if not paper.deleted:
                result.notes.append(f"document {paper.number} cannot be deleted")
        elif paper.is_pending:
            result.lost.append(f"document {paper.number} is not accepted, however often it is submitted")


def _wait_for_what_is_due(patient: Patient, result: Result) -> None:
    """Wait for the end of all jobs; what is due and does not move is stuck."""
    deadline = time.monotonic() + END_SECONDS
    seen: dict[str, str] = {}
    while findings.unfinished(patient) and time.monotonic() < deadline:
        seen |= {found.split()[0]: found for found in findings.stuck(patient)}
        time.sleep(POLL_SECONDS)
    result.stuck += seen.values()
    if findings.unfinished(patient):
        result.stuck += [
            f"{job.document_id} has not ended: {job.state} {job.code}"
            for job in findings.jobs(patient).values()
            if job.state not in ("done", "deadletter") and str(job.document_id) not in seen
        ]


def _press_buttons(patient: Patient, result: Result) -> None:
    """Run the printed commands with the causes still there, then remove the causes and run them again."""
    good, poisoned = patient.library.good(), patient.library.poisoned()
    for pressed in press(patient, good):
        told = findings.history(patient, pressed.paper)
        result.notes.append(f"good document {pressed.paper.number} was a dead letter: {pressed.code}; {told}")
        if not pressed.landed:
            result.notes.append(f"`{_verb(pressed)}` did not land it: {pressed.told}, {pressed.code_after}")
    for pressed in press(patient, poisoned):
        assert pressed.paper.poison is not None
        name = pressed.paper.poison.name
        if pressed.landed:
            result.notes.append(f"poison ({name}) landed with its cause")
        elif pressed.code not in pressed.paper.poison.codes or pressed.code_after not in pressed.paper.poison.codes:
            result.notes.append(f"poison ({name}) has an untrue reason: {pressed.code}, then {pressed.code_after}")
    _replay(patient, result)
    result.notes = counted(result.notes)


def _replay(patient: Patient, result: Result) -> None:
    patient.services.embedding.refuses = False
    poisoned = patient.library.poisoned()
    for paper in poisoned:
        patient.library.repair(paper)
    replayed = press(patient, poisoned)
    for pressed in replayed:
        assert pressed.paper.poison is not None
        if not pressed.landed:
            result.notes.append(
                f"poison ({pressed.paper.poison.name}) without its cause does not land by "
                f"`{_verb(pressed)}`: {pressed.told}, {pressed.code_after}"
            )
    result.facts["poison"] = f"{len(poisoned)} documents, {sum(each.landed for each in replayed)} landed by the command"
    say(f"Poison: {result.facts['poison']}.")
    wait_for_the_end(patient)


def _verb(pressed: Pressed) -> str:
    return " ".join(pressed.fix.split()[:2]) or "(no command)"


def _look_at_payments(patient: Patient, result: Result, disturbances: Sequence[Disturbance]) -> None:
    paid = payments(patient.services.charges, disturbances)
    result.paid_twice += paid.twice
    result.facts["paid"] = f"{paid.once} texts and files once, {paid.repeated} again after a fault in flight"
    booked, charged = int(patient.database.value(TOKENS)), patient.services.embedding.tokens
    result.facts["ledger"] = f"{booked} of {charged} tokens that OpenAI charged"


def close(patient: Patient, result: Result) -> None:
    """Stop the deployment and look at what it leaves."""
    result.orphan_objects += findings.orphans(patient)
    ended = [f"`ingest up` ended with {code}" for _, _, code in patient.up.ended]
    result.facts["ends of `ingest up`"] = ", ".join(counted(ended)) or "none"
    patient.up.stop()
    deadline = time.monotonic() + findings.leftover_seconds(patient.lease)
    while (left := tree.of_deployment()) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    result.leftover_processes += [f"{role}: {tree.command_of(pid)}" for pid, role in left.items()]
