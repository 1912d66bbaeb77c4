"""The three kinds of error, and what the catalogue says about each code."""

import re
from dataclasses import dataclass
from typing import ClassVar

ASKED = "what"
"""The fact that is a whole sentence. It concerns what somebody has just asked for, and only they are told."""

PART = "part"
"""The fact that names a part of the file, whatever the problem is; a sentence about it follows the message."""

_NAME = re.compile(r"[\w<][\w<> .,:/+'()-]{0,79}", re.ASCII)


class IngestError(Exception):
    """A failure with a stable `code`, a sentence on what happened and a `hint` on what a person can do."""

    kind: ClassVar[str]
    retry_after: float | None = None
    """Seconds for which a provider asks to be left alone, if it says."""
    may_have_cost: bool = False
    """Whether a provider may charge for the call that failed, because its answer did not arrive."""
    status: int | None = None
    """The HTTP status by which a provider refused, if it answered with one."""

    def __init__(self, code: str, **facts: object) -> None:
        problem = CATALOGUE[code]
        if not isinstance(self, problem.error):
            raise TypeError(f"{code} is a {problem.error.__name__}")
        self.code = code
        told = {name: _told(name, fact) for name, fact in facts.items()}
        self.message = problem.message.format(**told)
        if PART in told:
            self.message += f" Its part {told[PART]} is why."
        self.hint = problem.hint.format(**told)
        self.retries = problem.retries
        super().__init__(f"{code}: {self.message}")


class TransientError(IngestError):
    """A failure that may pass: the queue's policy retries the document before it becomes a dead letter."""

    kind = "transient"


class PermanentError(IngestError):
    """A failure that will not pass by itself: the document becomes a dead letter at once."""

    kind = "permanent"


class ResourceError(IngestError):
    """Something that the work needs is not available now: the document waits, and no attempt is counted."""

    kind = "resource"


class OutageError(ResourceError):
    """Something that all documents need is away: they wait as for any resource, and workers claim no more meanwhile."""

    kind = "outage"


@dataclass(frozen=True, slots=True)
class Problem:
    """What the catalogue says about a code."""

    error: type[IngestError]
    message: str
    hint: str
    retries: int | None = None
    """How often this may be retried, if the queue's policy does not fit."""


CATALOGUE: dict[str, Problem] = {}
"""Every problem by its code. The package fills it from its modules, one per subject."""


def _told(name: str, fact: object) -> object:
    """Return the fact if it is a number or a short name: a parser that a file has taken over may have made it up."""
    if isinstance(fact, int | float) or name == ASKED:
        return fact
    return fact if isinstance(fact, str) and _NAME.fullmatch(fact) else "(withheld)"
