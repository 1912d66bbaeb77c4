"""Where the server's socket lies: whoever can reach it is let in, so nobody else may."""

from pathlib import Path

from ingest_assets.adapters.embedded_postgres.configuration import PORT
from ingest_assets.posix import private_folders

SOCKET = f".s.PGSQL.{PORT}"


def socket_folder(cluster_folder: Path) -> Path:
    """Return the folder of the socket of the server whose cluster this is."""
    return private_folders.socket_folder(cluster_folder, "socket", SOCKET)
