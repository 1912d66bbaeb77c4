"""Notifications from a queue of SQS."""

import re
from threading import Event, Lock, Thread

from botocore.exceptions import ClientError, NoCredentialsError, ParamValidationError

from ingest_assets.adapters.aws import client_of, status_of, translated
from ingest_assets.domain.errors import OutageError, PermanentError
from ingest_assets.pipeline.ports.watching import Notice

SCHEME = "sqs://"
AT_ONCE = 10
"""The most messages that one call returns."""
WAIT_SECONDS = 20
"""The longest that one call waits for a message."""
HIDDEN_SECONDS = 30
"""How long a message is hidden from others if its queue says nothing."""
REFUSED = range(400, 500)
_REGION = re.compile(r"https?://sqs\.([a-z0-9-]+)\.amazonaws\.")


class NotificationQueue:
    """Messages are held, hidden from other watches, until they are acknowledged, postponed, or this is closed.

    A message is hidden for as long as its queue says, again and again while it is worked on.
    What is postponed comes again when it is hidden no longer. How often, and where it goes then, its queue decides.

    Args:
        source: `sqs://` and the name of a queue, or its URL.
        wait_seconds: See `WAIT_SECONDS`.

    Raises:
        PermanentError: source_refused, if there is no such queue, or its messages are not for this login.
        OutageError: source_unreachable.
    """

    def __init__(self, source: str, *, wait_seconds: int = WAIT_SECONDS) -> None:
        self._wait_seconds = wait_seconds
        self._held: set[str] = set()
        self._lock = Lock()
        self._closed = Event()
        self._hiding: Thread | None = None
        name = source.removeprefix(SCHEME)
        url = name if "://" in name else f"https://{name}" if "/" in name else None
        region = _REGION.match(url or "")
        self._client = client_of("sqs", region and region[1])
        self._url, self._hidden_seconds = self._found(name, url)

    def receive(self) -> list[Notice]:
        with translated():
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=AT_ONCE,
                WaitTimeSeconds=self._wait_seconds,
                VisibilityTimeout=self._hidden_seconds,
            )
        messages = answer.get("Messages", [])
        with self._lock:
            self._held |= {message["ReceiptHandle"] for message in messages}
        if messages and self._hiding is None:
            self._hiding = Thread(target=self._keep_hidden, name="notifications", daemon=True)
            self._hiding.start()
        return [Notice(message["Body"], message["ReceiptHandle"]) for message in messages]

    def acknowledge(self, notice: Notice) -> None:
        with translated():
            try:
                self._client.delete_message(QueueUrl=self._url, ReceiptHandle=notice.receipt)
            except ClientError as error:
                if "ReceiptHandleIsInvalid" not in str(error.response["Error"]["Code"]):
                    raise  # else it was not hidden any more, and comes again
        self._let_go(notice.receipt)

    def postpone(self, notice: Notice) -> None:
        self._let_go(notice.receipt)

    def close(self) -> None:
        self._closed.set()
        with self._lock:
            held, self._held = list(self._held), set()
        self._hide(held, 0)

    def _found(self, name: str, url: str | None) -> tuple[str, int]:
        """Return the queue's URL, and for how long it hides messages."""
        with translated():
            try:
                if url is None:
                    url = str(self._client.get_queue_url(QueueName=name)["QueueUrl"])
                told = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
            except (NoCredentialsError, ParamValidationError):
                raise PermanentError("source_refused") from None
            except ClientError as error:
                if status_of(error) not in REFUSED:
                    raise
                raise PermanentError("source_refused") from None
        return url, int(told.get("Attributes", {}).get("VisibilityTimeout", 0)) or HIDDEN_SECONDS

    def _let_go(self, receipt: str) -> None:
        with self._lock:
            self._held.discard(receipt)

    def _keep_hidden(self) -> None:
        while not self._closed.wait(self._hidden_seconds / 3):
            with self._lock:
                held = list(self._held)
            self._hide(held, self._hidden_seconds)

    def _hide(self, receipts: list[str], seconds: int) -> None:
        """Hide messages for so long; what cannot be hidden comes again, which does no harm."""
        for first in range(0, len(receipts), AT_ONCE):
            entries = [
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
                for number, receipt in enumerate(receipts[first : first + AT_ONCE])
            ]
            try:
                with translated():
                    self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)
            except OutageError:
                return
