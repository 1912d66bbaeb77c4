"""The wrapped keys of users, in Postgres."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.documents.user_key import UserKey

BEFORE_ALL = UUID(int=0)


class PostgresUserKeys:
    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, user_id: UserId) -> UserKey | None:
        with self._database.connection() as connection:
            row = connection.execute(query("user_key"), {"user_id": user_id}).fetchone()
        return None if row is None else _key(row)

    def use(self, user_id: UserId) -> UserKey | None:
        with self._database.connection() as connection:
            row = connection.execute(query("user_key"), {"user_id": user_id}).fetchone()
            if row is not None and row["is_stale"]:
                names = {"user_id": user_id, "key_id": row["key_id"]}
                if connection.execute(query("note_key_use"), names).fetchone() is None:
                    return None
        return None if row is None else _key(row)

    def keep(self, key: UserKey) -> None:
        names = {"user_id": key.user_id, "key_id": key.key_id, "wrapped_key": key.wrapped}
        with self._database.connection() as connection:
            connection.execute(query("keep_user_key"), names)

    def some(self) -> UserKey | None:
        with self._database.connection() as connection:
            row = connection.execute(query("some_user_key")).fetchone()
        return None if row is None else _key(row)

    def page(self, after: UserId | None, limit: int) -> Sequence[UserKey]:
        names = {"after_user": after or BEFORE_ALL, "limit": limit}
        with self._database.connection() as connection:
            return [_key(row) for row in connection.execute(query("user_keys_after"), names)]

    def replace(self, key: UserKey) -> None:
        names = {"user_id": key.user_id, "key_id": key.key_id, "wrapped_key": key.wrapped}
        with self._database.connection() as connection:
            connection.execute(query("wrap_user_key"), names)

    def destroy_unused(self, idle: timedelta) -> int:
        with self._database.connection() as connection:
            return len(connection.execute(query("destroy_user_keys"), {"age": idle}).fetchall())


def _key(row: dict[str, Any]) -> UserKey:
    return UserKey(UserId(row["user_id"]), row["key_id"], bytes(row["wrapped_key"]))
