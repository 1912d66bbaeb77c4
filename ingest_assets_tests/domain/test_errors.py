import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.errors import CATALOGUE, IngestError, PermanentError, TransientError

FACTS = dict.fromkeys(
    ("limit", "found", "objects", "expected", "seconds", "megabytes", "pages", "crashes", "needed", "signal"), 1
)
WORDS = dict.fromkeys(("name", "error", "place", "what", "folder", "provider", "role", "tables"), "x")


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_error_says_what_happened_and_what_to_do(code: str) -> None:
    problem = CATALOGUE[code]
    error = problem.error(code, **FACTS, **WORDS)
    assert error.code == code
    assert error.message
    assert error.hint.endswith("."), error.hint
    assert "{" not in error.message + error.hint


@pytest.mark.parametrize("code", CATALOGUE)
def test_messages_have_no_place_for_text_of_a_document(code: str) -> None:
    named = {field for _, field, _, _ in string.Formatter().parse(CATALOGUE[code].message) if field}
    assert named <= {*FACTS, *WORDS}
    assert not named & {"text", "filename", "path", "content"}


def test_an_error_must_be_of_the_class_that_its_code_has() -> None:
    with pytest.raises(TypeError, match="encrypted is a PermanentError"):
        TransientError("encrypted")
    assert isinstance(PermanentError("encrypted"), IngestError)


@given(st.text() | st.binary() | st.lists(st.text()))
def test_a_fact_that_is_no_number_and_no_short_name_is_not_told(fact: object) -> None:
    error = PermanentError("too_many_pages", pages=fact, limit=7)
    told = error.message.removeprefix("The document has ").removesuffix(" pages, more than 7.")
    assert told in (fact, "(withheld)")
    assert len(told) <= 80
    assert told.isascii()
    assert told.isprintable()


@pytest.mark.parametrize(
    "fact", [7, 0.5, "The parsing provider", "chunk_document, line 35", "0001_pre_schema.sql", "0.8"]
)
def test_numbers_and_names_are_told(fact: object) -> None:
    assert str(fact) in PermanentError("too_many_pages", pages=fact, limit=7).message
