"""The database's roles, as sql/roles.sql makes them."""

from enum import StrEnum


class Role(StrEnum):
    OWNER = "ingest_owner"
    WORKER = "ingest_worker"
    READER = "ingest_reader"
