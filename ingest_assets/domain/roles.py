"""The database roles that sql/roles.sql creates."""

from enum import StrEnum


class Role(StrEnum):
    OWNER = "ingest_owner"
    WORKER = "ingest_worker"
    READER = "ingest_reader"
