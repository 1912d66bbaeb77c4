"""Ports to listen on."""

import errno
import socket

from ingest_assets.domain.errors import PermanentError

BACKLOG = 2048
HIGHEST = 65535


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens, on any free port if `port` is 0.

    Raises:
        PermanentError: wrong_usage, if the port is in use or the system does not allow it.
    """
    try:
        return _listen(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise in_use(host, port) from None
        raise PermanentError("wrong_usage", what=f"This system cannot listen on {host}, port {port}.") from None


def in_use(host: str, port: int) -> PermanentError:
    """Return the error that names a port to use instead."""
    return PermanentError("wrong_usage", what=f"Port {port} is in use; try --port {next_free(host, port + 1)}.")


def is_free(host: str, port: int) -> bool:
    """Return whether this process could listen on the port."""
    try:
        _listen(host, port).close()
    except OSError:
        return False
    return True


def next_free(host: str, wanted: int) -> int:
    """Return `wanted` if it is free, otherwise the next higher port that is; 0 stands for any.

    Raises:
        PermanentError: wrong_usage, if there is none.
    """
    if wanted == 0:
        with _listen(host, 0) as listener:
            return int(listener.getsockname()[1])
    free = next((port for port in range(wanted, HIGHEST + 1) if is_free(host, port)), None)
    if free is None:
        raise PermanentError("wrong_usage", what=f"No port from {wanted} on is free.")
    return free


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)
