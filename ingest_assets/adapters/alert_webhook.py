"""Notices, posted to the address that the operator has set, in the form that its receiver reads."""

from collections.abc import Callable
from typing import Any

import httpx

from ingest_assets.adapters.notice_formats import FORMATS
from ingest_assets.domain.alerting.notices import Notice
from ingest_assets.domain.errors import TransientError

SECONDS = 4
"""How long connecting, sending and waiting for the answer may each take."""


class AlertWebhook:
    """Posts notices. It follows no redirect: only the operator says where they go."""

    def __init__(self, url: str, form: str = "json") -> None:
        self._url = url
        self._payload_of: Callable[[Notice], Any] = FORMATS[form]

    def send(self, notice: Notice) -> None:
        told = self._payload_of(notice)
        try:
            # Streaming leaves the body of the answer unread, however long it is.
            with httpx.stream("POST", self._url, json=told, timeout=SECONDS, follow_redirects=False) as answer:
                status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL):
            raise TransientError("alert_refused", found="no answer") from None
        if not httpx.codes.is_success(status):
            raise TransientError("alert_refused", found=f"status {status}")
