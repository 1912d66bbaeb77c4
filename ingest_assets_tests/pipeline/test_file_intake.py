"""Files come in from folders: what is read, what is believed, and what one bad file or one unlucky moment does."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg
import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Acceptance, UserId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.files.file_states import FileState, NoFile, SeenFile, SkippedFile
from ingest_assets.pipeline.file_intake import FileIntake
from ingest_assets.settings import Settings
from ingest_assets_tests.documents import MAX_BYTES, TEST, drain_all, policy_text, submit

SECOND = 1_000_000_000
LONG_AGO = 1_700_000_000 * SECOND
NOW = LONG_AGO + 3600 * SECOND


@dataclass
class Folder:
    """Files with the times that a test gives them, and a note of what was read."""

    user: UserId
    deployment: Deployment
    contents: dict[str, str] = field(default_factory=dict)
    states: dict[str, FileState] = field(default_factory=dict)
    paths_read: list[str] = field(default_factory=list)
    now: int = NOW
    while_reading: Callable[[], None] = lambda: None

    def write(self, name: str, content: str, changed_ns: int = LONG_AGO) -> None:
        path = f"/folder/{name}"
        self.contents[path] = content
        self.states[path] = FileState(len(content.encode()), changed_ns, changed_ns, inode=1, device=1)

    def submit(self, *, verify: bool = False, max_bytes: int = MAX_BYTES) -> list[str]:
        """What became of each file: its status, or the code of what is wrong with it."""
        self.paths_read.clear()
        return [told(each) for each in self.outcomes(verify=verify, max_bytes=max_bytes)]

    def outcomes(self, *, verify: bool = False, max_bytes: int = MAX_BYTES) -> list[Acceptance | PermanentError]:
        return list(self.intake(verify=verify, max_bytes=max_bytes).take_in(self.seen(), TEST))

    def changed(self) -> list[str]:
        """What an estimate would be made for."""
        self.paths_read.clear()
        return [checked.arrival.filename for checked in self.intake().changed(self.seen())]

    def seen(self) -> list[SeenFile]:
        self.now += SECOND
        return [SeenFile(path, state, self.now) for path, state in sorted(self.states.items())]

    def intake(self, *, verify: bool = False, max_bytes: int = MAX_BYTES) -> FileIntake:
        return FileIntake(replace(self.deployment.intake, max_bytes=max_bytes), self, self.user, verify)

    def find(
        self,
        paths: Iterable[Path],
        *,
        follow_links: bool = False,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        only: Collection[str] | None = None,
    ) -> Iterator[SeenFile | NoFile | SkippedFile]:
        raise NotImplementedError

    def is_gone(self, path: str) -> bool:
        raise NotImplementedError

    def device_at(self, path: str) -> int:
        raise NotImplementedError

    def read(self, path: str, within: str | None = None) -> bytes:  # noqa: ARG002
        self.paths_read.append(path.removeprefix("/folder/"))
        if path not in self.contents:
            raise PermanentError("path_missing")
        content = self.contents[path].encode()
        self.while_reading()
        return content


def told(outcome: Acceptance | PermanentError) -> str:
    return outcome.code if isinstance(outcome, PermanentError) else outcome.status.value


@pytest.fixture
def folder(deployment: Deployment, user: UserId) -> Folder:
    return Folder(user, deployment)


def stored(settings: Settings) -> list[Path]:
    return [path for path in settings.objects_folder.rglob("*") if path.is_file()]


def test_an_unchanged_file_is_not_read_and_makes_no_job(folder: Folder) -> None:
    folder.write("a.md", policy_text("A"))
    assert folder.submit() == ["queued"]
    drain_all(folder.deployment)
    assert folder.submit() == ["unchanged"]
    assert folder.paths_read == []
    assert folder.deployment.backlog.unfinished() == 0


def test_a_file_that_changed_just_before_it_came_in_is_read_once_more(folder: Folder) -> None:
    folder.write("a.md", policy_text("A"), changed_ns=NOW)
    folder.submit()
    for read in (["a.md"], []):
        assert folder.submit() == ["unchanged"]
        assert folder.paths_read == read


def test_new_times_without_a_new_content_make_no_version(folder: Folder) -> None:
    folder.write("a.md", policy_text("A"))
    folder.submit()
    folder.write("a.md", policy_text("A"), changed_ns=LONG_AGO + 1)
    assert folder.submit() == ["unchanged"]
    assert folder.paths_read == ["a.md"]
    assert folder.submit() == ["unchanged"]
    assert folder.paths_read == []


def test_a_changed_file_is_read_and_becomes_a_new_version(folder: Folder) -> None:
    folder.write("a.md", policy_text("A"))
    folder.write("b.md", policy_text("B"))
    folder.submit()
    folder.write("b.md", policy_text("C"), changed_ns=LONG_AGO + 1)
    assert folder.submit() == ["unchanged", "new_version"]
    assert folder.paths_read == ["b.md"]
    assert folder.submit() == ["unchanged", "unchanged"]
    assert folder.paths_read == []


def test_a_byte_that_changed_behind_size_and_times_is_found_when_all_is_verified(folder: Folder) -> None:
    folder.write("a.md", "# Policy\n\nWe pay 100 EUR.")
    folder.submit()
    folder.contents["/folder/a.md"] = "# Policy\n\nWe pay 900 EUR."
    assert folder.submit() == ["unchanged"]
    assert folder.submit(verify=True) == ["new_version"]
    assert folder.paths_read == ["a.md"]
    assert folder.submit(verify=True) == ["unchanged"]


def test_a_file_that_changes_while_it_is_read_is_read_again(folder: Folder) -> None:
    folder.write("a.md", policy_text("Half"))
    folder.while_reading = lambda: folder.write("a.md", policy_text("Whole"), changed_ns=LONG_AGO + 1)
    assert folder.submit() == ["queued"]
    assert folder.submit() == ["new_version"]
    assert folder.submit() == ["unchanged"]
    assert folder.paths_read == []


def test_a_moved_file_is_read_and_keeps_its_document(folder: Folder) -> None:
    folder.write("a.md", policy_text("A"))
    [first] = folder.outcomes()
    folder.states["/folder/b.md"] = folder.states.pop("/folder/a.md")
    folder.contents["/folder/b.md"] = folder.contents.pop("/folder/a.md")
    [moved] = folder.outcomes()
    assert isinstance(first, Acceptance)
    assert isinstance(moved, Acceptance)
    assert (told(moved), moved.document_id) == ("unchanged", first.document_id)
    assert folder.submit() == ["unchanged"]
    assert folder.paths_read == []


def test_a_deleted_document_comes_in_again(folder: Folder) -> None:
    folder.write("a.md", policy_text("A"))
    [first] = folder.outcomes()
    assert isinstance(first, Acceptance)
    folder.deployment.deletion.delete(first.document_id, TEST)
    assert folder.submit() == ["queued"]


def test_another_user_is_not_told_what_one_has(folder: Folder, other_user: UserId) -> None:
    folder.write("a.md", policy_text("A"))
    folder.submit()
    folder.user = other_user
    assert folder.submit() == ["queued"]
    assert folder.paths_read == ["a.md"]


def test_a_dead_letter_is_told_unread(folder: Folder) -> None:
    folder.write("broken.pdf", "%PDF-1.4 truncated")
    folder.submit()
    drain_all(folder.deployment)
    [outcome] = folder.outcomes()
    assert isinstance(outcome, Acceptance)
    assert (told(outcome), outcome.failure) == ("unchanged", "corrupt")
    assert folder.paths_read == ["broken.pdf"]


def test_what_came_in_by_another_way_is_read_once(folder: Folder) -> None:
    folder.write("a.md", policy_text("A"))
    accepted = submit(folder.deployment, folder.user, policy_text("A"), "a.md")
    assert accepted.status == "queued"
    for read in (["a.md"], []):
        assert folder.submit() == ["unchanged"]
        assert folder.paths_read == read


def test_a_file_above_the_limit_is_refused_unread_also_where_it_is_known(folder: Folder) -> None:
    folder.write("a.md", policy_text("A"))
    folder.submit()
    assert folder.submit(max_bytes=100) == ["too_large"]
    assert folder.paths_read == []


def test_what_is_wrong_with_some_files_is_their_own_outcome_and_the_order_stays(folder: Folder) -> None:
    for number in range(150):
        folder.write(f"{number:03}.md", "" if number % 50 == 7 else policy_text(f"Subject {number}", 1))
    del folder.contents["/folder/100.md"]
    expected = ["queued"] * 150
    expected[7] = expected[57] = expected[107] = "empty_file"
    expected[100] = "path_missing"
    assert folder.submit() == expected
    assert folder.deployment.documents.counts()["documents"] == 146
    assert folder.submit() == ["unchanged" if each == "queued" else each for each in expected]
    assert sorted(folder.paths_read) == ["007.md", "057.md", "100.md", "107.md"]


def test_copies_that_come_in_together_are_one_document(folder: Folder, settings: Settings) -> None:
    for name in ("a.md", "b.md", "c.md"):
        folder.write(name, policy_text("Same"))
    outcomes = folder.outcomes()
    assert Counter(map(told, outcomes)) == {"queued": 1, "unchanged": 2}
    assert len({each.document_id for each in outcomes if isinstance(each, Acceptance)}) == 1
    assert len(stored(settings)) == 1


def test_jobs_are_queued_in_the_order_of_the_files(folder: Folder, database_url: str) -> None:
    for number in range(100):
        folder.write(f"{number:03}.md", policy_text(f"Subject {number}", 1))
    ids = [each.document_id for each in folder.outcomes() if isinstance(each, Acceptance)]
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT document_id FROM upload_pipeline.upload_jobs ORDER BY queued_at").fetchall()
    assert [row[0] for row in rows] == ids


def test_an_estimate_is_for_what_is_new_or_changed_only(folder: Folder) -> None:
    for name in ("known.md", "changed.md"):
        folder.write(name, policy_text(name))
    folder.submit()
    folder.write("changed.md", policy_text("Other"), changed_ns=LONG_AGO + 1)
    folder.write("copy.md", policy_text("known.md"))
    folder.write("empty.md", "")
    folder.write("new.md", policy_text("New"))
    assert folder.changed() == ["changed.md", "new.md"]
    assert "known.md" not in folder.paths_read
