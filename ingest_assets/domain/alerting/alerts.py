"""Alerts: what is said of a condition that holds, and when it has ended."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ingest_assets.domain.alerting.conditions import BY_NAME, DEAD_LETTERS_APPEAR, DOCUMENTS_WAIT, Condition
from ingest_assets.domain.alerting.judgement import Finding, key_of
from ingest_assets.domain.alerting.notices import Notice
from ingest_assets.domain.errors.remedies import advice_for, command_for_cause
from ingest_assets.domain.queue.jobs import FailedCause

PATIENCE = timedelta(minutes=5)
"""How long documents may wait for their retries before that is worth an alert. A dead letter is worth one at once."""

WANTED = frozenset({"cancelled"})
"""Nobody needs to be told of what somebody has asked for."""


@dataclass(frozen=True, slots=True)
class Failures:
    """The documents that one alert is about."""

    code: str
    count: int
    waiting: int
    """How many of the documents wait for a retry; the others are dead letters."""


@dataclass(frozen=True, slots=True)
class Alert:
    """What an alert says about one condition: no names, no text, and no ids."""

    condition: Condition
    subject: str | None
    message: str
    hint: str
    fix: str
    """The command line with which to begin or, if documents failed, the one that brings them back."""
    first_at: datetime | None
    """When it began, if that is known."""
    failures: Failures | None = None
    cleared: bool = False
    """Whether the condition has ended."""

    @property
    def key(self) -> str:
        return key_of(self.condition, self.subject)

    @property
    def headline(self) -> str:
        return self.condition.summary.format(subject=self.subject)

    @property
    def notice(self) -> Notice:
        facts = {
            "Severity": str(self.condition.severity),
            "Cause": self.failures and self.failures.code,
            "Documents": self.failures and str(self.failures.count),
            "Of them waiting": self.failures and str(self.failures.waiting),
            "Since": self.first_at and f"{self.first_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
            "Runbook": self.condition.runbook,
        }
        return Notice(
            headline=f"{'Cleared: ' if self.cleared else ''}{self.headline}",
            severity=None if self.cleared else self.condition.severity,
            paragraphs=tuple(text for text in (self.message, self.hint) if text),
            facts=tuple((name, value) for name, value in facts.items() if value),
            commands=() if self.cleared else (self.fix,),
            data=self._data,
        )

    @property
    def _data(self) -> dict[str, object]:
        of_failures = (
            {}
            if self.failures is None
            else {
                "code": self.failures.code,
                "count": self.failures.count,
                "waiting": self.failures.waiting,
            }
        )
        return {
            "alert": self.condition.name,
            "state": "cleared" if self.cleared else "firing",
            "severity": str(self.condition.severity),
            "subject": self.subject,
            "summary": self.headline,
            **of_failures,
            "message": self.message,
            "hint": self.hint,
            "fix": self.fix,
            "first_at": self.first_at and self.first_at.isoformat(),
            "runbook": self.condition.runbook,
        }


def alert_of(finding: Finding) -> Alert:
    """Return what is said of a condition that holds."""
    condition, subject = finding.condition, finding.subject
    message = condition.description.format(subject=subject, value=finding.value)
    return Alert(condition, subject, message, "", condition.command, None)


def cleared(key: str, since: datetime | None) -> Alert | None:
    """Return what is said when a condition has ended, or None if this release knows no such condition."""
    name, _, subject = key.partition(":")
    condition = BY_NAME.get(name)
    if condition is None:
        return None
    return Alert(condition, subject or None, "It has ended.", "", condition.command, since, cleared=True)


def alerts_for(causes: Iterable[FailedCause], now: datetime) -> list[Alert]:
    """Return an alert for each cause that is worth one."""
    return [
        _alert(cause)
        for cause in causes
        if (cause.dead_letters or now - cause.since >= PATIENCE) and cause.code not in WANTED
    ]


def _alert(cause: FailedCause) -> Alert:
    advice = [advice_for(cause.code)] if cause.dead_letters else []
    return Alert(
        condition=DEAD_LETTERS_APPEAR if cause.dead_letters else DOCUMENTS_WAIT,
        subject=cause.code,
        message=cause.message,
        hint=" ".join([cause.hint, *advice]),
        fix=command_for_cause(cause.code, all_wait=not cause.dead_letters),
        first_at=cause.since,
        failures=Failures(cause.code, cause.count, cause.waiting),
    )
