"""Time that has passed for alerts, without anybody waiting for it."""

from datetime import timedelta

import psycopg

OLDER = """
UPDATE upload_pipeline.alerts SET holds_since = holds_since - %(passed)s, last_sent_at = last_sent_at - %(passed)s;
CREATE TEMPORARY TABLE older ON COMMIT DROP AS
    SELECT taken_at - %(passed)s AS taken_at, metrics FROM upload_pipeline.readings;
DELETE FROM upload_pipeline.readings;
INSERT INTO upload_pipeline.readings SELECT * FROM older;
"""


def pass_minutes(database_url: str, minutes: int) -> None:
    """Make everything that was told, and every reading, that much older."""
    with psycopg.connect(database_url, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute(OLDER, {"passed": timedelta(minutes=minutes)})
