"""Whatever people, files and providers say, Postgres is given nothing that it refuses."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as quickly
from hypothesis import strategies as st

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.queue.changes import Change, Move
from ingest_assets.domain.queue.jobs import WITHHELD, Payload, without_text
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.domain.spending.costs import request_id_in
from ingest_assets.pipeline.intake import IncomingFile
from ingest_assets_tests.documents import TEST, ingest, policy_text, submit

HOSTILE = "\x00\ud800\udfff\ufffe\x1b]0;\u202e'\\%s%(x)s"
ANYTHING = st.text(max_size=40) | st.text("\x00\ud800a\x1b'\\%(s)", max_size=12)
ON_ONE_DATABASE = quickly(
    max_examples=40, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@ON_ONE_DATABASE
@given(query=ANYTHING)
@example(HOSTILE)
def test_every_query_is_answered(deployment: Deployment, user: UserId, query: str) -> None:
    deployment.search.passages(user, query, 5)


@ON_ONE_DATABASE
@given(name=ANYTHING)
@example(HOSTILE)
def test_every_file_name_is_taken(deployment: Deployment, user: UserId, name: str) -> None:
    accepted = deployment.intake.receive(IncomingFile(b"# Text", f"{name}.md", "a source", user), TEST)
    document = deployment.documents.find(accepted.document_id)
    assert document is not None
    assert document.filename.isprintable()


def test_every_content_that_is_text_ends_searchable(deployment: Deployment, user: UserId) -> None:
    text = f"# {HOSTILE}\n\nThe walrus \x1b[31mis\x00 covered.\n".encode(errors="replace").replace(b"\x00", b"")
    document_id = ingest(deployment, user, text, "walrus.md")
    [hit] = deployment.search.passages(user, "walrus", 1)
    assert hit.document_id == document_id
    assert "\x1b" not in hit.text


VALUES = st.text() | st.integers() | st.floats() | st.booleans() | st.none() | st.lists(st.text()) | st.binary()


@given(st.dictionaries(st.sampled_from(["text_sha", "parser", "model", "chunks", "note"]), VALUES))
def test_a_payload_holds_numbers_hashes_and_names_of_tools_only(payload: Mapping[str, object]) -> None:
    told = without_text(payload)
    assert told.keys() == payload.keys()
    assert without_text(told | {"again": 1}).keys() == told.keys() | {"again"}
    for name, value in told.items():
        assert isinstance(value, int | float) or (value.isascii() and value.isprintable()), (name, value)
        assert value == WITHHELD or name != "note" or not isinstance(value, str)


@pytest.mark.parametrize(
    "payload",
    [
        {"text_sha": "a" * 64, "parser": "llamaparse", "parser_version": "agentic-de+1", "pages": 3, "seconds": 0.1},
        {"chunker": "markdown", "chunker_version": "4-1000-200", "chunks": 7},
        {"model": "sentence-transformers/all-MiniLM-L6-v2", "model_version": "1-512d"},
    ],
)
def test_a_payload_of_the_pipeline_is_told_as_it_is(payload: Payload) -> None:
    assert without_text(payload) == payload


def test_an_event_takes_any_payload_and_keeps_no_text(deployment: Deployment, user: UserId) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    [job] = deployment.claims.claim("worker", 1, deployment.settings.lease)
    payload: dict[str, Any] = {"note": HOSTILE, "text_sha": "Mrs Example", "model": ["x"], "chunks": 7}
    move = Move(Stage.JOB_VALIDATED, deployment.clock.seconds(), payload)
    deployment.changes.write_all([Change(job, (move,))], reported=False)
    [event] = [each for each in deployment.documents.history(document_id) if each.payload]
    assert {name for name, value in event.payload.items() if value == WITHHELD} == {"note", "text_sha", "model"}


@given(ANYTHING)
@example(HOSTILE)
def test_a_services_request_id_is_an_id_or_nothing(header: str) -> None:
    kept = request_id_in(header)
    assert kept is None or (kept == header and kept.isascii() and " " not in kept)
    assert request_id_in("req_0123-abc.DEF") == "req_0123-abc.DEF"
