"""How long a session may keep others waiting, by its role. The server enforces it, whatever becomes of the client."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ingest_assets.domain.roles import Role

IDLE_IN_TRANSACTION = "idle_in_transaction_session_timeout"


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """The limits of one session; None means no limit."""

    statement: timedelta | None
    """How long one statement may take."""
    lock: timedelta
    """How long a statement waits for a lock before it gives up."""
    idle_in_transaction: timedelta
    """How long a transaction may do nothing before the server ends its session and frees its locks."""

    def settings(self) -> dict[str, str]:
        """Return the server's settings, with times in milliseconds; there, 0 means no limit.

        Over a Unix socket, the server ignores what concerns the network.
        """
        return {
            "statement_timeout": _milliseconds(self.statement),
            "lock_timeout": _milliseconds(self.lock),
            IDLE_IN_TRANSACTION: _milliseconds(self.idle_in_transaction),
            "tcp_keepalives_idle": "10",
            "tcp_keepalives_interval": "5",
            "tcp_keepalives_count": "3",
            "tcp_user_timeout": "25000",
        }


LIMITS: Mapping[Role, SessionLimits] = {
    Role.WORKER: SessionLimits(timedelta(minutes=5), timedelta(seconds=15), timedelta(seconds=10)),
    # Index builds may take hours. A lock that is awaited for long makes all later statements wait behind it.
    Role.OWNER: SessionLimits(None, timedelta(seconds=15), timedelta(seconds=60)),
}
"""A frozen worker is cut off before another session gives up waiting for its locks. `become_reader` has a reader's."""

CONNECT_SECONDS = 10

NETWORK = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
"""How soon a client notices that the server's host is gone: after 25 seconds.

The session's settings say the same to the server, which otherwise keeps the locks of a host without power for hours.
"""


def with_network_limits(url: str) -> str:
    """Return the connection string with these limits, unless it has its own."""
    return make_conninfo(url, **{name: value for name, value in NETWORK.items() if name not in conninfo_to_dict(url)})


def url_with_network_limits(url: str) -> str:
    """Return the URL with these limits in its query, unless it has its own."""
    parts = urlsplit(url)
    missing = urlencode({name: value for name, value in NETWORK.items() if name not in parse_qs(parts.query)})
    return f"{url}{'&' if parts.query else '?'}{missing}" if missing else url


def _milliseconds(limit: timedelta | None) -> str:
    return "0" if limit is None else str(round(limit.total_seconds() * 1000))
