"""What each failure of the client means, over every exception class that the client has."""

import re
from pathlib import Path

import httpx2
import openai
import pytest

from ingest_assets.adapters.providers.http_failures import CODES
from ingest_assets.adapters.providers.openai.failures import BY_CLASS, BY_CODE, classify
from ingest_assets.domain.errors import CATALOGUE, IngestError, PermanentError, ResourceError, TransientError

REQUEST = httpx2.Request("POST", "http://127.0.0.1/v1/embeddings")


def exception_classes() -> set[str]:
    """Read from the source: which modules are loaded depends on what ran before."""
    sources = (path.read_text() for path in Path(openai.__file__).parent.rglob("*.py"))
    bases = dict(found for source in sources for found in re.findall(r"^class (\w+)\((\w+)\):", source, re.MULTILINE))
    found = {"OpenAIError"}
    while below := {name for name, base in bases.items() if base in found} - found:
        found |= below
    return found


def status_error(
    status: int, code: str | None = None, kind: str | None = None, headers: dict[str, str] | None = None
) -> Exception:
    """As the client makes it from an answer."""
    error = {"message": "policy holder Jane Doe, key sk-secret", "code": code, "type": kind, "param": None}
    response = httpx2.Response(status, json={"error": error}, headers=headers, request=REQUEST)
    with openai.OpenAI(api_key="none") as client:
        return client._make_status_error_from_response(response)


def test_every_exception_class_of_the_client_is_in_the_table() -> None:
    assert exception_classes() == set(BY_CLASS)


@pytest.mark.parametrize("table", [BY_CODE, CODES, {name: code for name, code in BY_CLASS.items() if code}])
def test_tables_name_codes_of_the_catalogue(table: dict[object, str]) -> None:
    assert set(table.values()) <= set(CATALOGUE)


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (status_error(301), ResourceError, "service_unknown_address"),
        (status_error(400), PermanentError, "service_refused"),
        (status_error(400, "model_not_found"), ResourceError, "service_unknown_address"),
        (status_error(401), ResourceError, "service_key_refused"),
        (status_error(402), ResourceError, "service_quota_spent"),
        (status_error(403), ResourceError, "service_key_refused"),
        (status_error(404), ResourceError, "service_unknown_address"),
        (status_error(405), ResourceError, "service_unknown_address"),
        (status_error(408), TransientError, "service_slow"),
        (status_error(409), TransientError, "service_unavailable"),
        (status_error(413), PermanentError, "service_refused"),
        (status_error(422), PermanentError, "service_refused"),
        (status_error(429), TransientError, "service_busy"),
        (status_error(429, "rate_limit_exceeded", "requests"), TransientError, "service_busy"),
        (status_error(429, "insufficient_quota", "insufficient_quota"), ResourceError, "service_quota_spent"),
        (status_error(429, None, "insufficient_quota"), ResourceError, "service_quota_spent"),
        (status_error(500), TransientError, "service_unavailable"),
        (status_error(502), TransientError, "service_unavailable"),
        (status_error(503), TransientError, "service_unavailable"),
        (status_error(504), TransientError, "service_slow"),
        (status_error(529), TransientError, "service_unavailable"),
        (openai.APITimeoutError(REQUEST), TransientError, "service_slow"),
        (openai.APIConnectionError(request=REQUEST), TransientError, "service_unavailable"),
        (
            openai.APIResponseValidationError(httpx2.Response(200, request=REQUEST), None),
            TransientError,
            "service_garbled",
        ),
        (openai.APIError("", REQUEST, body=None), TransientError, "service_unavailable"),
        (openai.OpenAIError(), TransientError, "service_unavailable"),
    ],
    ids=lambda value: (
        f"{type(value).__name__} {getattr(value, 'status_code', '')}" if isinstance(value, Exception) else None
    ),
)
def test_a_failure_is_one_error_of_the_catalogue(error: Exception, kind: type[IngestError], code: str) -> None:
    failure = classify(error)
    assert type(failure) is kind
    assert failure.code == code
    assert not [secret for secret in ("Jane Doe", "sk-secret") if secret in f"{failure} {failure.hint}"]


def test_a_class_that_is_not_in_the_table_counts_as_what_it_derives_from() -> None:
    class Unheard(openai.APITimeoutError):
        __module__ = "tests"

    assert classify(Unheard(REQUEST)).code == "service_slow"


def test_an_answer_that_is_no_json_is_classified_by_its_status() -> None:
    response = httpx2.Response(502, html="<h1>502 Bad Gateway</h1>", request=REQUEST)
    with openai.OpenAI(api_key="none") as client:
        assert classify(client._make_status_error_from_response(response)).code == "service_unavailable"
