"""The place of the server's socket. The server admits any process that can reach it, so no other user may."""

from pathlib import Path

from ingest_assets.adapters.embedded_postgres.configuration import PORT
from ingest_assets.posix import private_folders

SOCKET = f".s.PGSQL.{PORT}"


def socket_folder(cluster_folder: Path) -> Path:
    """Return the folder of the socket of the server whose cluster this is."""
    return private_folders.socket_folder(cluster_folder, "socket", SOCKET)
