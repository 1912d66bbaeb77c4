"""What is asked over the socket: one message each way per connection."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from ingest_assets.orchestration.warm_launcher.sockets import connect

LARGEST_REQUEST = 1 << 17
YES, NO = b"yes", b"no"


@dataclass(frozen=True)
class Request:
    """A request to `launch` a run, `interrupt` its process, or `find` out whether it has one."""

    verb: Literal["launch", "interrupt", "find"]
    run_id: str
    instance: str = ""
    """For a launch: Dagster's reference to its instance, serialized. It names environment variables, not secrets."""

    @classmethod
    def of(cls, message: bytes) -> "Request":
        """Return the request in a message."""
        return cls(**json.loads(message))

    def __bytes__(self) -> bytes:
        return json.dumps(asdict(self)).encode()


def ask(path: Path, request: Request) -> bool:
    """Return whether the server did it, or found it.

    Raises:
        OSError: No server answers.
    """
    with connect(path) as connection:
        connection.send(bytes(request))
        reply = connection.recv(len(YES))
    if not reply:
        raise ConnectionResetError(path)
    return reply == YES
