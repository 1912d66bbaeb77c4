"""Whether a code server answers.

This module uses the client that asks a code server, and the option with which Dagster tells a code server its socket.
The page and the daemon each start one as a child. The daemon replaces its own every minute, but the page never does.
"""

from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._grpc.client import DagsterGrpcClient

SOCKET_OPTION = "--socket"
ANSWER_SECONDS = 10


def socket_in(command: list[str]) -> str | None:
    """Return the socket in the command line of a code server, or None if it is another program's."""
    following = command[command.index(SOCKET_OPTION) + 1 :] if SOCKET_OPTION in command else []
    return following[0] if following else None


def code_server_answers(socket: str) -> bool:
    """Return whether a code server answers at this socket."""
    try:
        DagsterGrpcClient(socket=socket).get_server_id(timeout=ANSWER_SECONDS)
    except DagsterUserCodeUnreachableError:
        return False
    return True
