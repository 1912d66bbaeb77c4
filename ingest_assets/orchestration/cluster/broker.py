"""What those who hand over runs and those who execute them agree on."""

from typing import Any

import dagster as dg
from celery import Celery
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG
from kombu.exceptions import OperationalError

from ingest_assets.domain.queue.lanes import Lane
from ingest_assets.orchestration.claims import lane_of_run

EXECUTE_RUN = "execute_run"
"""The one task. Its argument, and its id, is the id of a run that Dagster's storage has."""
RUNS = "runs"
"""The question that each worker answers with its slots, its queues and the runs that it has."""
DEFAULT_QUEUE = "dagster"
"""The queue of all runs that are of no lane."""
TASK_TAG = DAGSTER_CELERY_TASK_ID_TAG

CONFIGURATION: dict[str, Any] = {
    "task_ignore_result": True,  # Dagster's storage has the results
    "task_acks_late": True,  # so that a worker holds no more runs than it has slots
    "worker_prefetch_multiplier": 1,
    "broker_transport_options": {"confirm_publish": True},  # RabbitMQ has written down what it confirms
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "worker_redirect_stdouts": False,
    "worker_hijack_root_logger": False,
    "worker_send_task_events": False,
}
"""Settings of Celery."""


def queue_of_lane(lane: str) -> str:
    return f"{DEFAULT_QUEUE}-{lane}"


QUEUES = (DEFAULT_QUEUE, *map(queue_of_lane, Lane))


def queue_of(run: dg.DagsterRun) -> str:
    lane = lane_of_run(run)
    return DEFAULT_QUEUE if lane is None else queue_of_lane(lane)


def broker_errors(celery: Celery) -> tuple[type[Exception], ...]:
    """Return what is raised where the broker does not answer: Celery passes on some errors of the broker's library."""
    connection = celery.connection_for_write()
    return (OperationalError, OSError, *connection.connection_errors, *connection.channel_errors)
