"""Moto, where it is installed (`make servers`): buckets that notify queues, on 127.0.0.1."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from botocore.session import get_session

from ingest_assets_tests.seaweedfs import KEY, SECRET, free_ports
from ingest_assets_tests.waiting import until

MOTO = Path(__file__).parents[1] / ".venv" / "servers" / "bin" / "moto_server"
needs_moto = pytest.mark.skipif(
    not MOTO.exists(), reason="moto is not installed (`make servers`): no queue of S3's notifications was tried"
)
REGION = "us-east-1"
EVENTS = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]


@dataclass(frozen=True)
class Moto:
    endpoint: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables of AWS with which it is used."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": REGION,
        }

    def client(self, service: str) -> Any:
        return get_session().create_client(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )


@contextmanager
def moto() -> Iterator[Moto]:
    [port] = free_ports(1)
    process = subprocess.Popen(
        [MOTO, "-H", "127.0.0.1", "-p", str(port)],
        env={"PATH": os.environ["PATH"], "MOTO_ENABLE_ISO_REGIONS": "false"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    server = Moto(f"http://127.0.0.1:{port}")
    try:
        until(lambda: process.poll() is not None or _answers(server.endpoint))
        assert process.poll() is None
        yield server
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/moto-api/").is_success
    except httpx.TransportError:
        return False


@dataclass
class NotifyingBucket:
    """A bucket, the queue that it notifies, and the queue to which that one redrives what nobody can read."""

    server: Moto
    receives: int = 5
    """How often a message is received before it is redriven."""
    hidden_seconds: int = 2
    name: str = field(default_factory=lambda: f"bucket-{uuid4().hex[:12]}")

    def __post_init__(self) -> None:
        self.s3, self.sqs = self.server.client("s3"), self.server.client("sqs")
        self.s3.create_bucket(Bucket=self.name)
        self.dead_letters = self._queue(f"{self.name}-dead")
        redrive = {"deadLetterTargetArn": self._arn(self.dead_letters), "maxReceiveCount": self.receives}
        self.queue = self._queue(
            self.name, RedrivePolicy=json.dumps(redrive), VisibilityTimeout=str(self.hidden_seconds)
        )
        notified = {"QueueArn": self._arn(self.queue), "Events": EVENTS}
        self.s3.put_bucket_notification_configuration(
            Bucket=self.name, NotificationConfiguration={"QueueConfigurations": [notified]}
        )

    def put(self, key: str, content: str) -> str:
        self.s3.put_object(Bucket=self.name, Key=key, Body=content.encode())
        return f"s3://{self.name}/{key}"

    def delete(self, key: str) -> None:
        self.s3.delete_object(Bucket=self.name, Key=key)

    def send(self, message: str) -> None:
        self.sqs.send_message(QueueUrl=self.queue, MessageBody=message)

    def waiting(self, queue: str | None = None) -> int:
        """How many messages there are, hidden or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = self.sqs.get_queue_attributes(QueueUrl=queue or self.queue, AttributeNames=names)["Attributes"]
        return sum(int(told[name]) for name in names)

    def _queue(self, name: str, **attributes: str) -> str:
        return str(self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])

    def _arn(self, queue: str) -> str:
        told = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        return str(told["Attributes"]["QueueArn"])
