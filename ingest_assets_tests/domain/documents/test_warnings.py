"""What a document lacks is said in kinds and counts."""

import pytest

from ingest_assets.domain.documents.warnings import WarningKind, counted, lines_of, phrases


def test_kinds_that_do_not_occur_are_left_out() -> None:
    assert counted({WarningKind.HIDDEN_SHEETS: 0, WarningKind.EMBEDDED_OBJECTS: 2}) == {WarningKind.EMBEDDED_OBJECTS: 2}


def test_one_and_several_are_said_as_one_would_say_them() -> None:
    assert phrases({WarningKind.HIDDEN_SHEETS: 1}) == ["1 hidden sheet was not read"]
    assert phrases({WarningKind.HIDDEN_SHEETS: 2}) == ["2 hidden sheets were not read"]


@pytest.mark.parametrize("kind", WarningKind)
def test_each_kind_can_be_said(kind: WarningKind) -> None:
    assert phrases({kind: 3})[0].startswith("3 ")
    assert lines_of({kind: 3}) == [{"kind": kind.value, "count": 3}]
