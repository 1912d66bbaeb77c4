"""What Llama Cloud's answers may say, and what they may not."""

from typing import Any

import pytest

from ingest_assets.adapters.providers.llamacloud.result import read_credits, read_job, read_result
from ingest_assets.adapters.providers.remote_parsing.failures import of_remote_job
from ingest_assets.adapters.providers.remote_parsing.result import ParseResult
from ingest_assets.adapters.providers.remote_parsing.settings import Tier
from ingest_assets.domain.errors import TransientError
from ingest_assets.domain.spending.costs import Usage


def answer(*pages: Any, usage: Any = None) -> dict[str, Any]:
    return {"job": {"id": "job-1", "status": "COMPLETED", "usage": usage}, "markdown": {"pages": list(pages)}}


def page(number: Any, text: Any, **more: Any) -> dict[str, Any]:
    return {"page_number": number, "markdown": text, "success": True, **more}


def read(said: dict[str, Any]) -> ParseResult:
    read_job(said)
    return read_result(said, "job-1", Tier.AGENTIC, "markdown")


def test_pages_come_by_their_numbers_and_one_that_is_left_out_is_empty() -> None:
    result = read_result(answer(page(3, "c"), page(1, "a")), "job-1", Tier.AGENTIC, "markdown")
    assert result.pages == ("a", "", "c")
    assert not result.is_billed
    assert result.usage == Usage(pages=3, credits=30, micro_usd=37_500, request_id="job-1")


def test_a_bill_may_hold_a_fraction_of_a_credit_and_counts_to_the_micro_dollar() -> None:
    result = read_result(answer(page(1, "a"), usage={"credits": 2.5}), "job-1", Tier.AGENTIC, "markdown")
    assert result.is_billed
    assert (result.usage.credits, result.usage.micro_usd) == (2, 3125)


def test_what_comes_from_the_cache_costs_nothing() -> None:
    result = read_result(answer(page(1, "a"), usage={"credits": 0}), "job-1", Tier.AGENTIC, "markdown")
    assert result.is_billed
    assert result.usage == Usage(request_id="job-1")


@pytest.mark.parametrize(
    "usage",
    [
        *(None, {}, 3, {"credits": None}, {"credits": -1}, {"credits": True}, {"credits": "3"}),
        *({"credits": float("nan")}, {"credits": float("inf")}, {"credits": 1e300}, {"credits": 10**400}),
    ],
    ids=lambda usage: str(usage)[:20],
)
def test_a_bill_that_is_no_number_or_that_nobody_can_have_used_is_none(usage: Any) -> None:
    assert read_credits({"usage": usage}) is None


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"job": None},
        {"job": {"status": 1}},
        {"job": {"status": "COMPLETED"}},
        {"job": {"status": "COMPLETED"}, "markdown": {"pages": None}},
        answer("a page"),
    ],
)
def test_what_cannot_be_read_is_garbled(said: dict[str, Any]) -> None:
    with pytest.raises(TransientError, match="service_garbled"):
        read(said)


def test_a_document_that_lacks_a_page_has_failed() -> None:
    failed = {"page_number": 2, "success": False, "error": "diagnosis"}
    with pytest.raises(TransientError) as raised:
        read_result(answer(page(1, "a"), failed), "job-1", Tier.AGENTIC, "markdown")
    assert raised.value.code == "service_job_failed"
    assert "diagnosis" not in str(raised.value)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("The file is password protected", "encrypted"),
        ("Unsupported file type: .xyz", "unsupported"),
        ("Corrupted file", "corrupt"),
        ("The model returned an empty response", "service_job_failed"),
        ("Timed out", "service_job_failed"),
        ("", "service_job_failed"),
    ],
)
def test_a_message_says_something_about_the_document_only_if_it_cannot_mean_anything_else(
    message: str, code: str
) -> None:
    assert of_remote_job("FAILED", message).code == code
    assert of_remote_job("CANCELLED", message).code == "service_job_failed"
