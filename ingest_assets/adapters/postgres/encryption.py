"""Whether what goes to and from a database can be read on the way."""

import os
from ipaddress import ip_address
from typing import Any

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from ingest_assets.adapters.postgres.database import connected
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.encryption import Encryption
from ingest_assets.domain.errors import PermanentError

CHECKING = frozenset({"verify-ca", "verify-full"})
"""The modes that also find out whether the server is the right one."""
URLS = ("postgresql://", "postgres://")
UNDECIDED = frozenset({None, "allow", "prefer"})
"""The modes that leave it to whoever answers."""


def require_choice(url: str) -> None:
    """Refuse a server elsewhere for which nobody has said whether the session is to be encrypted.

    Raises:
        PermanentError: encryption_undecided, database_url_invalid.
    """
    if not url.startswith(URLS):
        raise PermanentError("database_url_invalid")
    if not is_local(url) and _mode(url) in UNDECIDED:
        raise PermanentError("encryption_undecided")


def is_local(url: str) -> bool:
    """Return whether all servers that the URL and the environment name are on this machine.

    An address has precedence over a name, wherever it stands. A service may name any server.
    """
    names = _parts(url)
    if not names.get("hostaddr") and _has_service(url):
        return False
    addresses = names.get("hostaddr") or os.environ.get("PGHOSTADDR") or names.get("host") or os.environ.get("PGHOST")
    return all(map(_is_here, str(addresses or "").split(",")))


def encryption_of(url: str) -> Encryption:
    """Return how a session is encrypted: by what the client and the server say of it.

    Raises:
        OutageError: database_unreachable.
    """
    with connected(url) as connection:
        row = connection.execute(query("session_encryption")).fetchone()
        encrypted = connection.pgconn.ssl_in_use and row is not None
        protocol = row["version"] if encrypted and row else None
    return Encryption(is_local(url), protocol, _mode(url) in CHECKING)


def _parts(url: str) -> dict[str, Any]:
    """Return what the URL says; the driver's message is left out, since it quotes the URL."""
    try:
        return dict(conninfo_to_dict(url))
    except ProgrammingError:
        raise PermanentError("database_url_invalid") from None


def _mode(url: str) -> str | None:
    """Return the mode, which a service may decide before the environment does."""
    mode = _parts(url).get("sslmode") or (None if _has_service(url) else os.environ.get("PGSSLMODE"))
    return str(mode) if mode else None


def _has_service(url: str) -> bool:
    return bool(_parts(url).get("service") or os.environ.get("PGSERVICE"))


def _is_here(host: str) -> bool:
    if host in {"", "localhost"} or host.startswith(("/", "@")):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
