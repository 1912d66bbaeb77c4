"""Alerts as JSON, posted to the address that the operator has set."""

from dataclasses import asdict

import httpx

from ingest_assets.domain.errors import TransientError
from ingest_assets.domain.queue.alerts import Alert

SECONDS = 4
"""How long connecting, sending and waiting for the answer may each take."""


class AlertWebhook:
    """Posts alerts. It follows no redirect: only the operator says where alerts go."""

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, alert: Alert) -> None:
        told = asdict(alert) | {"first_at": alert.first_at.isoformat()}
        try:
            # Streaming leaves the body of the answer unread, however long it is.
            with httpx.stream("POST", self._url, json=told, timeout=SECONDS, follow_redirects=False) as answer:
                status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL):
            raise TransientError("alert_refused", found="no answer") from None
        if not httpx.codes.is_success(status):
            raise TransientError("alert_refused", found=f"status {status}")
