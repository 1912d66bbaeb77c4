"""The server's settings: for one machine, many short connections, vectors, and data that must survive a crash."""

import os
import sys
from pathlib import Path

PORT = 5432
"""Only a part of the socket's name: the server opens no network port."""
ROOMY_SHARED_MEMORY = 1024**3
SYNC_METHOD = "syncfs" if sys.platform == "linux" else "fsync"
"""How to sync a data directory before the first start and after a crash: 0.1 s instead of 5 s on a busy disk."""

SETTINGS = {
    "listen_addresses": "",
    "port": PORT,
    "unix_socket_permissions": "0700",
    "max_connections": 200,
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "random_page_cost": 1.1,
    "jit": "off",
    # Nothing is replicated or archived, so new tables and indexes need no log of their own; fsync stays on.
    "wal_level": "minimal",
    "max_wal_senders": 0,
    "max_logical_replication_workers": 0,
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "recovery_init_sync_method": SYNC_METHOD,
    "timezone": "UTC",
    # Statements, values and details of rows may hold text of documents, so they stay out of the log.
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%d ",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}


def configuration(socket_folder: Path) -> str:
    """Return the text of a postgresql.conf."""
    settings = SETTINGS | {
        "unix_socket_directories": socket_folder,
        "dynamic_shared_memory_type": _shared_memory(Path("/dev/shm")),  # noqa: S108  only its size is read
    }
    return "".join(f"{name} = '{value}'\n" for name, value in settings.items())


def _shared_memory(folder: Path) -> str:
    """Return the kind of shared memory to use.

    Containers often have only 64 MB in /dev/shm, too little for parallel index builds.
    """
    if not folder.is_dir():
        return "posix"
    size = os.statvfs(folder)
    return "posix" if size.f_frsize * size.f_blocks >= ROOMY_SHARED_MEMORY else "mmap"
