import string

import pytest

from ingest_assets.domain.errors import CATALOGUE, IngestError, PermanentError, TransientError

FACTS = dict.fromkeys(("limit", "found", "expected", "seconds", "megabytes", "pages", "crashes", "needed"), 1)
WORDS = dict.fromkeys(("name", "error", "place", "what", "folder", "service", "role", "tables"), "x")


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_error_says_what_happened_and_what_to_do(code: str) -> None:
    problem = CATALOGUE[code]
    error = problem.error(code, **FACTS, **WORDS)
    assert error.code == code
    assert error.message
    assert error.hint.endswith((".", "ingest retry", "ingest explain", "ingest migrate", "--json")), error.hint
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
