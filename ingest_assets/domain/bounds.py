"""From when on a measurement is worth a look: dashboards and alerts say the same of it."""

from datetime import timedelta

QUEUE_SENSOR = "queued_jobs"
"""The sensor that has documents worked on, by its name in Dagster."""
NEARLY_FULL = 0.8
"""The share of a disk, of memory or of a budget."""
DAEMON_SILENT_AFTER = timedelta(minutes=2)
"""Of Dagster's daemon, which leaves a heartbeat every 30 seconds."""
