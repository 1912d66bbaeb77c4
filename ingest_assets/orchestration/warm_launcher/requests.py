"""Requests over the socket: one message each way per connection."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from ingest_assets.orchestration.warm_launcher.sockets import connect

LARGEST_REQUEST = 1 << 17
YES, NO = b"yes", b"no"


@dataclass(frozen=True)
class Request:
    """A request to `launch` a run, to `interrupt` its process, or to `find` whether it has one."""

    verb: Literal["launch", "interrupt", "find"]
    run_id: str
    instance: str = ""
    """Dagster's serialized reference to its instance, for a launch. It names variables, not secrets."""

    @classmethod
    def of(cls, message: bytes) -> "Request":
        """Return the request in a message."""
        return cls(**json.loads(message))

    def __bytes__(self) -> bytes:
        return json.dumps(asdict(self)).encode()


def ask(path: Path, request: Request) -> bool:
    """Send a request and return whether the server launched, interrupted or found the run's process.

    Raises:
        OSError: No server answers.
    """
    with connect(path) as connection:
        connection.send(bytes(request))
        reply = connection.recv(len(YES))
    if not reply:
        raise ConnectionResetError(path)
    return reply == YES
