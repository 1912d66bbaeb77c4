from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.documents.retention import ListedDocuments, RetentionPolicy, history_begins, surplus

counts = st.integers(min_value=0, max_value=1_000_000)


@given(kept=counts, finished=counts, deleted=counts)
def test_what_is_left_is_as_much_as_may_be_kept(kept: int, finished: int, deleted: int) -> None:
    going = surplus(RetentionPolicy(partitions=kept), ListedDocuments(finished, deleted))
    assert finished - going.finished == min(finished, kept)
    assert going.deleted == deleted


@given(finished=counts, deleted=counts)
def test_where_all_are_kept_only_deleted_documents_go(finished: int, deleted: int) -> None:
    going = surplus(RetentionPolicy(partitions=None), ListedDocuments(finished, deleted))
    assert going == ListedDocuments(finished=0, deleted=deleted)


def test_history_begins_as_long_ago_as_it_is_kept() -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    assert history_begins(RetentionPolicy(history=timedelta(days=2)), now) == datetime(2026, 11, 22, tzinfo=UTC)
    assert history_begins(RetentionPolicy(history=None), now) is None
