"""What the beginning of an id looks like."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.documents.naming import DocumentName


@given(st.uuids(), st.integers(4, 36), st.sampled_from(["", "-"]))
def test_every_beginning_of_an_id_includes_it(document_id: UUID, length: int, hyphen: str) -> None:
    text = str(document_id).replace("-", hyphen)
    ids = DocumentName(text[:length], "/").ids
    assert ids is not None
    assert ids[0] <= document_id <= ids[1]


@pytest.mark.parametrize("text", ["", "abc", "a-bc", "policy", "cafe.md", "-abcd", "abcd" * 9])
def test_other_names_mean_no_id(text: str) -> None:
    assert DocumentName(text, "/").ids is None
