import string

import pytest

from ingest_assets.domain.errors import CATALOGUE, IngestError, PermanentError, TransientError

FACTS = {"limit": 1, "found": 1, "expected": 2, "seconds": 1, "megabytes": 1, "pages": 1, "crashes": 3, "needed": 1}
FACTS |= {"name": "x", "error": "X", "place": "x", "what": "x", "folder": "x", "service": "x", "role": "x", "tables": "x"}  # type: ignore[dict-item]


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_error_says_what_happened_and_what_to_do(code: str) -> None:
    problem = CATALOGUE[code]
    error = problem.error(code, **FACTS)
    assert error.code == code
    assert error.message
    assert error.hint.endswith((".", "ingest retry", "ingest explain", "ingest migrate", "--json")), error.hint
    assert "{" not in error.message + error.hint


@pytest.mark.parametrize("code", CATALOGUE)
def test_messages_have_no_place_for_text_of_a_document(code: str) -> None:
    named = {field for _, field, _, _ in string.Formatter().parse(CATALOGUE[code].message) if field}
    assert named <= set(FACTS)
    assert not named & {"text", "filename", "path", "content"}


def test_an_error_must_be_of_the_class_that_its_code_has() -> None:
    with pytest.raises(TypeError, match="encrypted is a PermanentError"):
        TransientError("encrypted")
    assert isinstance(PermanentError("encrypted"), IngestError)
