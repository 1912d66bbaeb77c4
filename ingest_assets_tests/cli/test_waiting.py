import pytest

from ingest_assets.cli.waiting import POLL_SECONDS, POLL_SHARE, pause_after


@pytest.mark.parametrize("seconds", [0.001, 0.3, 4.0])
def test_asking_for_many_documents_leaves_the_database_to_those_who_work_on_them(seconds: float) -> None:
    assert seconds / (seconds + pause_after(seconds)) <= POLL_SHARE


def test_a_few_documents_are_asked_for_often() -> None:
    assert pause_after(0.001) == POLL_SECONDS
