"""What providers' statuses and headers mean, whichever provider sends them."""

from datetime import UTC, datetime

import httpx
import httpx2
import openai
import pytest

from ingest_assets.adapters.providers.http_failures import CODES, code_of_status, retry_after
from ingest_assets.adapters.providers.openai.failures import classify
from ingest_assets.adapters.providers.remote_parsing.failures import of_status
from ingest_assets.domain.errors import CATALOGUE

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
FAR = (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - NOW).total_seconds() + (23 * 60 + 59) * 60
REQUEST = httpx2.Request("POST", "https://api.openai.com/v1/embeddings")


def openai_error(headers: dict[str, str]) -> openai.APIStatusError:
    return openai.RateLimitError("busy", response=httpx2.Response(429, headers=headers, request=REQUEST), body=None)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"retry-after": " 0 "}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "1"}, 1.0),
        ({"retry-after": "Mon, 23 Nov 2026 12:01:30 GMT"}, 90.0),
        ({"retry-after": "Mon, 23 Nov 2026 12:01:30 -0000"}, 90.0),
        ({"retry-after": "Mon, 23 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "Mon, 23 Nov 2026 13:01:30 +0100"}, 90.0),
        ({"retry-after": "Mon, 99 Nov 9999 12:01:30 GMT"}, None),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 -2359"}, FAR),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "."}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "9" * 400}, None),
    ],
)
def test_each_provider_s_retry_after_is_read_in_seconds_milliseconds_and_dates(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(httpx.Headers(headers), NOW) == seconds
    assert of_status(503, httpx.Headers(headers), NOW).retry_after == seconds
    assert classify(openai_error(headers), NOW).retry_after == seconds


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (302, "service_unknown_address"),
        (418, "service_refused"),
        (503, "service_unavailable"),
        (599, "service_unavailable"),
    ],
)
def test_a_status_that_is_in_no_table_means_what_its_kind_means(status: int, code: str) -> None:
    assert code_of_status(status) == code


def test_the_codes_are_in_the_catalogue() -> None:
    assert set(CATALOGUE) >= set(CODES.values())
