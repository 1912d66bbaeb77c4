"""What every failure of LlamaParse and its client means for the work."""

import inspect
import json
from datetime import UTC, datetime

import httpx
import pytest

from ingest_assets.adapters.providers.llamaparse.client import _library
from ingest_assets.adapters.providers.llamaparse.result import read_result
from ingest_assets.adapters.providers.remote_parsing.failures import (
    REMOTE_JOB_ENDED,
    leaves_no_job,
    of_exception,
    of_remote_job,
    of_status,
)
from ingest_assets.adapters.providers.remote_parsing.settings import Tier
from ingest_assets.domain.errors import CATALOGUE, IngestError, PermanentError, ResourceError, TransientError
from ingest_assets.domain.spending.costs import Usage

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
REQUEST = httpx.Request("POST", "http://127.0.0.1/api/parsing/upload", content=b"diagnosis")

BY_STATUS = {
    301: ("service_unknown_address", ResourceError),
    400: ("service_refused", PermanentError),
    401: ("service_key_refused", ResourceError),
    402: ("service_quota_spent", ResourceError),
    403: ("service_key_refused", ResourceError),
    404: ("service_unknown_address", ResourceError),
    405: ("service_unknown_address", ResourceError),
    408: ("service_slow", TransientError),
    409: ("service_unavailable", TransientError),
    413: ("service_refused", PermanentError),
    415: ("unsupported", PermanentError),
    422: ("service_refused", PermanentError),
    425: ("service_unavailable", TransientError),
    429: ("service_busy", TransientError),
    500: ("service_unavailable", TransientError),
    502: ("service_unavailable", TransientError),
    503: ("service_unavailable", TransientError),
    504: ("service_slow", TransientError),
    529: ("service_unavailable", TransientError),
}
BY_CLASS = {
    "CloseError": "service_unavailable",
    "ConnectError": "service_unavailable",
    "ConnectTimeout": "service_slow",
    "DecodingError": "service_garbled",
    "HTTPError": "service_unavailable",
    "LocalProtocolError": "service_key_refused",
    "NetworkError": "service_unavailable",
    "PoolTimeout": "service_slow",
    "ProtocolError": "service_unavailable",
    "ProxyError": "service_unavailable",
    "ReadError": "service_unavailable",
    "ReadTimeout": "service_slow",
    "RemoteProtocolError": "service_unavailable",
    "RequestError": "service_unavailable",
    "TimeoutException": "service_slow",
    "TooManyRedirects": "service_unknown_address",
    "TransportError": "service_unavailable",
    "UnsupportedProtocol": "service_unknown_address",
    "WriteError": "service_unavailable",
    "WriteTimeout": "service_slow",
}


@pytest.mark.parametrize("status", BY_STATUS)
def test_each_status_has_its_meaning(status: int) -> None:
    error = of_status(status, {})
    assert (error.code, type(error)) == BY_STATUS[status]


@pytest.mark.parametrize("status", BY_STATUS)
def test_a_status_that_blames_the_request_leaves_no_job(status: int) -> None:
    assert leaves_no_job(of_status(status, {})) is (status < 500 and status != 408)


def test_what_was_never_sent_leaves_no_job_and_what_was_not_answered_may() -> None:
    assert leaves_no_job(of_exception(httpx.ConnectError("diagnosis")))
    assert not leaves_no_job(of_exception(httpx.ReadError("diagnosis")))


def test_every_class_of_the_http_client_has_its_meaning() -> None:
    classes = {
        name: kind
        for name, kind in vars(httpx).items()
        if inspect.isclass(kind) and issubclass(kind, httpx.HTTPError) and kind is not httpx.HTTPStatusError
    }
    assert {name: of_exception(kind("diagnosis")).code for name, kind in classes.items()} == BY_CLASS


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (httpx.InvalidURL("diagnosis"), "service_unknown_address"),
        (json.JSONDecodeError("diagnosis", "", 0), "service_garbled"),
        (KeyError("id"), "service_garbled"),
        (TypeError("diagnosis"), "service_garbled"),
        (ValueError("diagnosis"), "service_unavailable"),
        (Exception("diagnosis"), "service_unavailable"),
        (OSError("diagnosis"), "service_unavailable"),
        (ImportError("diagnosis"), "unexpected"),
        (AttributeError("diagnosis"), "unexpected"),
        (DeprecationWarning("diagnosis"), "unexpected"),
        (TransientError("service_busy", name="x"), "service_busy"),
    ],
)
def test_what_else_the_client_may_raise_has_its_meaning(error: Exception, code: str) -> None:
    assert of_exception(error).code == code


@pytest.mark.parametrize(("status", "code"), [(401, "service_key_refused"), (429, "service_busy")])
def test_the_library_s_wrapping_is_seen_through(status: int, code: str) -> None:
    response = httpx.Response(status, headers={"Retry-After": "7"}, request=REQUEST)
    wrapped = Exception("Failed to parse the file: diagnosis")
    wrapped.__cause__ = httpx.HTTPStatusError("diagnosis", request=REQUEST, response=response)

    error = of_exception(wrapped)

    assert (error.code, error.retry_after) == (code, 7.0)
    assert "diagnosis" not in str(error)


def test_the_library_s_own_class_has_its_meaning() -> None:
    _library()
    from llama_cloud_services.parse.base import JobFailedException  # noqa: PLC0415

    encrypted = JobFailedException("job-1", "ERROR", "PDF_IS_PASSWORD_PROTECTED", "diagnosis")
    assert of_exception(encrypted).code == "encrypted"
    assert of_exception(JobFailedException("job-1", "CANCELED")).code == "service_job_failed"


@pytest.mark.parametrize(
    ("status", "error_code", "code"),
    [
        ("ERROR", "PDF_IS_PASSWORD_PROTECTED", "encrypted"),
        ("ERROR", "UNSUPPORTED_FILE_TYPE", "unsupported"),
        ("ERROR", "PDF_IS_BROKEN", "corrupt"),
        ("ERROR", "UNABLE_TO_CONVERT_DOCUMENT", "corrupt"),
        ("ERROR", "NO_DATA_FOUND_IN_FILE", "empty_output"),
        ("ERROR", "EXPIRED", "service_job_failed"),
        ("ERROR", "INTERNAL_ERROR", "service_job_failed"),
        ("ERROR", "", "service_job_failed"),
        ("ERROR", None, "service_job_failed"),
        ("CANCELED", None, "service_job_failed"),
        ("CANCELED", "PDF_IS_BROKEN", "service_job_failed"),
        ("CANCELLED", None, "service_job_failed"),
        ("PARTIAL_SUCCESS", None, "service_job_failed"),
        ("None", "", "service_job_failed"),
    ],
)
def test_each_end_of_a_job_has_its_meaning(status: str, error_code: str | None, code: str) -> None:
    error = of_remote_job(status, error_code)
    assert error.code == code
    assert error.code in REMOTE_JOB_ENDED


def test_ends_of_jobs_are_in_the_catalogue() -> None:
    assert set(CATALOGUE) >= REMOTE_JOB_ENDED


def test_pages_keep_their_numbers() -> None:
    answer = {"pages": [{"page": 3, "md": "three"}, {"page": 1, "text": "one", "md": " "}]}

    result = read_result(answer, "job-1", Tier.FAST)

    assert result.pages == ("one", "", "three")
    assert result.usage == Usage(pages=3, credits=3, micro_usd=3750, request_id="job-1")


def test_what_the_service_says_it_billed_counts() -> None:
    metadata = {"job_pages": 9, "job_credits_usage": 50, "job_is_cache_hit": False}

    usage = read_result({"pages": [], "job_metadata": metadata}, "job-1", Tier.FAST).usage

    assert (usage.pages, usage.credits, usage.micro_usd) == (9, 50, 62_500)


@pytest.mark.parametrize("metadata", [None, [], {"job_pages": -1}, {"job_pages": "3", "job_credits_usage": None}])
def test_where_the_bill_cannot_be_read_the_price_list_counts(metadata: object) -> None:
    usage = read_result({"pages": [{"md": "one"}], "job_metadata": metadata}, "job-1", Tier.AGENTIC).usage

    assert (usage.pages, usage.credits) == (1, 10)


@pytest.mark.parametrize("pages", [None, "text", {"page": 1}, [None], ["text"], [["md"]]])
def test_pages_that_are_none_are_garbled(pages: object) -> None:
    with pytest.raises(IngestError) as raised:
        read_result({"pages": pages}, "job-1", Tier.FAST)
    assert raised.value.code == "service_garbled"


@pytest.mark.parametrize("number", [0, -1, 10**9, None, "2", 1.5, True])
def test_a_page_s_impossible_number_is_its_place(number: object) -> None:
    assert read_result({"pages": [{"page": number, "md": "one"}]}, "job-1", Tier.FAST).pages == ("one",)


@pytest.mark.parametrize("text", [None, 3, ["x"], " "])
def test_a_page_without_a_text_is_empty(text: object) -> None:
    assert read_result({"pages": [{"page": 1, "md": text, "text": text}]}, "job-1", Tier.FAST).pages == ("",)


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<!DOCTYPE html>\n<p>", True),
        ("\n <HTML lang=en>", True),
        ("<html>", True),
        ("<htmlx>", False),
        ("Text about <html>", False),
        ("<table>", False),
    ],
)
def test_a_web_page_instead_of_the_document_is_recognised(page: str, *, expected: bool) -> None:
    result = read_result({"pages": [{"md": "one"}, {"md": page}]}, "job-1", Tier.FAST)
    assert result.holds_web_page is expected
