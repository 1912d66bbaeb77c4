"""Deployments of which one place fails, and tells what it must not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from ingest_assets.composition import Deployment
from ingest_assets.domain.queue.changes import Change
from ingest_assets.domain.queue.jobs import Payload
from ingest_assets.pipeline.ports.processing import Changes
from ingest_assets_tests.canary import Canary

CANARY = Canary("Quokka7f3a9c")


class TellingError(Exception):
    """Of a library that quotes what it was given."""


def leak(*_: object, **__: object) -> NoReturn:
    error = TellingError(f"the text is {CANARY.word}")
    error.add_note(f"a note on {CANARY.word}")
    try:
        int(CANARY.word)
    except ValueError as handled:
        cause = UnicodeError(f"while handling: {CANARY.word}")
        cause.__context__ = handled
    raise error from cause


@dataclass(frozen=True)
class Leaking:
    """All that is behind it, but for one method."""

    behind: Any
    method: str

    def __getattr__(self, name: str) -> Any:
        return leak if name == self.method else getattr(self.behind, name)


@dataclass(frozen=True)
class LeakingChanges:
    """Writes all changes but those with this part."""

    behind: Changes
    part: str

    def write_all(self, changes: Sequence[Change], *, reported: bool) -> list[Payload]:
        if any(getattr(change, self.part) for change in changes):
            leak()
        return self.behind.write_all(changes, reported=reported)


def leaking(deployment: Deployment, port: str, method: str) -> Deployment:
    behind = getattr(deployment, port)
    if hasattr(behind, method):
        return deployment.replacing(**{port: Leaking(behind, method)})
    return deployment.replacing(changes=LeakingChanges(deployment.changes, method))
