"""One thing that was checked."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from ingest_assets.cli.hints import hint_of
from ingest_assets.pipeline.failure import as_ingest_error

COMMAND = re.compile(r"`((?:ingest|du) [^`]+)`")


@dataclass(frozen=True, slots=True)
class Check:
    """What was checked, whether it works, and what to do if it does not."""

    check: str
    ok: bool
    detail: str
    code: str | None = None
    hint: str | None = None
    count: int | None = None
    """How many documents or calls a deep check found."""
    document_ids: tuple[UUID, ...] = ()
    """Some of the documents that it found."""
    because_of: str | None = None
    """The check that failed before with the same code and detail: only that one needs mending."""

    @property
    def fix(self) -> str | None:
        """Return the command that helps, which is the first one in the hint."""
        found = COMMAND.search(self.hint or "")
        return None if self.ok or found is None else found.group(1)


def attempt(name: str, examine: Callable[[], str]) -> Check:
    """Return a check that holds, with what `examine` says, or that fails with what it raises."""
    return examined(name, lambda: Check(name, True, examine()))


def examined(name: str, examine: Callable[[], Check]) -> Check:
    """Return the check that `examine` gives, or one that fails with what it raises."""
    try:
        return examine()
    except Exception as error:
        return failed(name, error)


def failed(name: str, error: Exception) -> Check:
    problem = as_ingest_error(error)
    return Check(name, False, problem.message, problem.code, hint_of(problem.code, problem.hint))


def traced_to_causes(checks: Iterable[Check]) -> Iterator[Check]:
    """Yield the checks; one that fails as one before it did has no hint of its own, and names that one."""
    causes: dict[tuple[str, str], str] = {}
    for each in checks:
        cause = None if each.ok or each.code is None else causes.setdefault((each.code, each.detail), each.check)
        yield each if cause in (None, each.check) else replace(each, because_of=cause, hint=None)


def hints_of(checks: Sequence[Check]) -> dict[str, list[str]]:
    """Return each hint with the checks that it helps; those of failures come last, where people look first."""
    hints: dict[str, list[str]] = {}
    for each in sorted(checks, key=lambda check: not check.ok):
        if each.hint:
            hints.setdefault(each.hint, []).append(each.check)
    return hints
