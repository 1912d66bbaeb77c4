"""Transactions that are writing, and may yet show rows below the newest that everybody sees.

Ids and times are given out when something is written, not when it becomes visible. Whoever reads a history piece by
piece takes its newest row first, and then waits for those who were writing until then.
"""

from collections.abc import Callable

from psycopg import Connection

from ingest_assets.adapters.postgres.connections import Row
from ingest_assets.adapters.postgres.queries import query

EVENTS = "upload_pipeline.events"
PAID_CALLS = "upload_pipeline.paid_calls"


def writers(connection: Connection[Row], *tables: str) -> set[str]:
    """Return the transactions that are writing to one of these tables now."""
    return {row["writer"] for row in connection.execute(query("writers"), {"written_tables": list(tables)})}


def writers_have_ended(
    connection: Connection[Row], *tables: str, patience: float, poll: float, pause: Callable[[float], None]
) -> bool:
    """Wait until all transactions have ended that are writing to these tables now, but for none that begins meanwhile.

    Args:
        connection: A connection without a transaction.
        tables: The tables, with their schemas.
        patience: For how many seconds to wait.
        poll: How many seconds lie between two looks.
        pause: How to wait for some seconds.

    Returns:
        False if one of them did not end.
    """
    awaited, waited = writers(connection, *tables), 0.0
    while awaited and (awaited := awaited & writers(connection, *tables)):
        if waited >= patience:
            return False
        pause(poll)
        waited += poll
    return True
