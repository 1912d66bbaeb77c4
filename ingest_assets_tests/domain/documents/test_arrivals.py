"""What becomes of files that come in together is what would have become of them one after the other."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.documents.arrivals import Arrivals, KnownDocument, agree
from ingest_assets.domain.documents.document import Acceptance, AcceptanceStatus, Arrival, DocumentId, JobId, UserId

QUEUED, UNCHANGED, NEW_VERSION = AcceptanceStatus.QUEUED, AcceptanceStatus.UNCHANGED, AcceptanceStatus.NEW_VERSION


def arrival(source: str, content: str) -> Arrival:
    return Arrival(UserId(UUID(int=1)), source, source, "text/plain", 1, content)


@dataclass
class Library:
    """Documents in the order in which they were made: what each holds, and what gives it."""

    contents: dict[DocumentId, str] = field(default_factory=dict)
    sources: dict[str, DocumentId] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)

    def take_in(self, arrivals: list[Arrival]) -> list[Acceptance]:
        known = Arrivals(self._document(each, arrivals) for each in self.contents)
        accepted = [known.decide(each, self._fresh()) for each in arrivals]
        for each, place in zip(arrivals, accepted, strict=True):
            if place.status is not UNCHANGED:
                self.contents[place.document_id] = each.content_sha
            self.sources[each.source] = place.document_id
        return accepted

    def _fresh(self) -> tuple[DocumentId, JobId]:
        number = UUID(int=next(self.numbers))
        return DocumentId(number), JobId(number)

    def _document(self, document_id: DocumentId, arrivals: list[Arrival]) -> KnownDocument:
        sources = [source for source, given in self.sources.items() if given == document_id]
        arriving = [source for source in sources if source in {each.source for each in arrivals}]
        return KnownDocument(
            document_id, JobId(document_id), self.contents[document_id], sources=len(sources), arriving=arriving
        )


FILES = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("xyz")).map(
    lambda files: [arrival(source, content) for source, content in files.items()]
)
SUBMISSIONS = st.lists(FILES, min_size=1, max_size=4)


@given(SUBMISSIONS)
def test_together_and_one_by_one_come_to_the_same(submissions: list[list[Arrival]]) -> None:
    together, apart = Library(), Library()
    for files in submissions:
        assert together.take_in(files) == [place for each in files for place in apart.take_in([each])]


@given(SUBMISSIONS)
def test_every_source_gives_a_document_with_what_it_held_last(submissions: list[list[Arrival]]) -> None:
    library = Library()
    held: dict[str, str] = {}
    for files in submissions:
        library.take_in(files)
        held |= {each.source: each.content_sha for each in files}
    assert {source: library.contents[document_id] for source, document_id in library.sources.items()} == held


@given(SUBMISSIONS)
def test_what_is_sent_again_is_unchanged(submissions: list[list[Arrival]]) -> None:
    library = Library()
    for files in submissions:
        library.take_in(files)
        assert {place.status for place in library.take_in(files)} <= {UNCHANGED}


def test_a_copy_shares_the_document_and_leaves_it_when_it_changes() -> None:
    library = Library()
    first, copy = library.take_in([arrival("a", "x"), arrival("b", "x")])
    assert (first.status, copy.status, copy.document_id) == (QUEUED, UNCHANGED, first.document_id)
    [edited] = library.take_in([arrival("b", "y")])
    assert (edited.status, edited.document_id == first.document_id) == (QUEUED, False)


@pytest.mark.parametrize("order", ["copy first", "edit first"])
def test_a_file_may_be_edited_while_its_old_content_comes_from_elsewhere(order: str) -> None:
    library = Library()
    library.take_in([arrival("policy", "x")])
    files = [arrival("policy 2025", "x"), arrival("policy", "y")]
    library.take_in(files if order == "copy first" else files[::-1])
    assert {source: library.contents[given] for source, given in library.sources.items()} == {
        "policy": "y",
        "policy 2025": "x",
    }


def test_a_dead_letter_is_named_where_its_content_is_unchanged_and_forgotten_where_it_is_not() -> None:
    ids = DocumentId(UUID(int=1)), JobId(UUID(int=2))
    dead = KnownDocument(*ids, "x", failure="corrupt", sources=1, arriving=["a"])
    known = Arrivals([dead])
    assert known.decide(arrival("a", "x"), ids).failure == "corrupt"
    assert known.decide(arrival("a", "y"), ids).failure is None
    assert known.decide(arrival("b", "y"), ids) == Acceptance(*ids, UNCHANGED)


def place(status: AcceptanceStatus, number: int) -> Acceptance:
    return Acceptance(DocumentId(UUID(int=number)), JobId(UUID(int=number)), status)


@pytest.mark.parametrize(
    ("before", "now", "serves"),
    [
        (place(QUEUED, 1), place(QUEUED, 1), True),
        (place(NEW_VERSION, 1), place(NEW_VERSION, 1), True),
        (place(QUEUED, 1), place(UNCHANGED, 2), True),
        (place(UNCHANGED, 1), place(UNCHANGED, 2), True),
        (place(UNCHANGED, 1), place(QUEUED, 1), False),
        (place(UNCHANGED, 1), place(NEW_VERSION, 1), False),
        (place(NEW_VERSION, 1), place(QUEUED, 1), False),
        (place(NEW_VERSION, 1), place(NEW_VERSION, 2), False),
        (place(QUEUED, 1), place(NEW_VERSION, 1), False),
    ],
)
def test_stored_bytes_serve_the_place_for_which_they_were_stored_and_that_which_needs_none(
    before: Acceptance,
    now: Acceptance,
    serves: bool,  # noqa: FBT001
) -> None:
    assert agree([before], [now]) is serves
