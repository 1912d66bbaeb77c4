"""What is gone from a folder goes; what may only be out of sight stays."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.adapters.object_stores.local_files import LocalFiles
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Acceptance, DocumentId, UserId
from ingest_assets.domain.errors import OutageError, PermanentError
from ingest_assets.domain.files.file_states import FileState, NoFile, SeenFile, SkippedFile
from ingest_assets.pipeline.file_intake import FileIntake
from ingest_assets.pipeline.pruning import Pruned, Pruning, is_suspicious
from ingest_assets.settings import Settings
from ingest_assets_tests.documents import TEST, drain_all, policy_text, submit

LONG_AGO = 1_700_000_000_000_000_000


@dataclass
class Disk:
    """Paths with what they hold; each folder in `mounts` is a file system of its own while it is mounted."""

    user: UserId
    deployment: Deployment
    contents: dict[str, str] = field(default_factory=dict)
    mounts: dict[str, int] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)

    def is_gone(self, path: str) -> bool:
        return path not in self.contents and path not in self.unreadable

    def device_at(self, path: str) -> int:
        return next((device for folder, device in self.mounts.items() if path.startswith(folder)), 1)

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

    def read(self, path: str, within: str | None = None) -> bytes:  # noqa: ARG002
        return self.contents[path].encode()

    def submit(self) -> dict[str, DocumentId]:
        files = [
            SeenFile(path, FileState(len(content), LONG_AGO, LONG_AGO, 1, self.device_at(path)), LONG_AGO)
            for path, content in self.contents.items()
        ]
        outcomes = FileIntake(self.deployment.intake, self, self.user).take_in(files, TEST)
        return {
            file.path: each.document_id
            for file, each in zip(files, outcomes, strict=True)
            if isinstance(each, Acceptance)
        }

    @property
    def pruning(self) -> Pruning:
        return self.deployment.replacing(files=self).pruning

    def gone(self, *folders: str, even_all: bool = False) -> list[str]:
        return self.pruning.gone_files(folders, self.user, even_all=even_all)

    def prune(self, path: str) -> Pruned | None:
        return self.pruning.prune(path, self.user, TEST)


@pytest.fixture
def disk(deployment: Deployment, user: UserId) -> Disk:
    return Disk(user, deployment, {f"/docs/{name}.md": policy_text(name) for name in ("dental", "optical", "zebra")})


def found(deployment: Deployment, user: UserId, query: str) -> str:
    hits = deployment.search.passages(user, query, 5)
    return " ".join(hit.text for hit in hits)


def test_a_document_whose_file_is_gone_is_removed_with_everything_but_its_history(
    disk: Disk, deployment: Deployment, settings: Settings, user: UserId
) -> None:
    given = disk.submit()
    drain_all(deployment)
    assert "zebra" in found(deployment, user, "zebra policy")
    del disk.contents["/docs/zebra.md"]
    assert disk.gone("/docs") == ["/docs/zebra.md"]
    pruned = disk.prune("/docs/zebra.md")
    assert pruned is not None
    assert (pruned.acceptance.document_id, pruned.deleted) == (given["/docs/zebra.md"], True)
    assert "zebra" not in found(deployment, user, "zebra policy")
    assert deployment.documents.counts()["documents"] == 2
    assert not list(settings.objects_folder.rglob(f"*{given['/docs/zebra.md']}*"))
    assert deployment.documents.history(given["/docs/zebra.md"])[-1].code == "deleted"
    assert disk.gone("/docs") == []


def test_a_document_that_comes_from_elsewhere_too_only_loses_the_source(disk: Disk, deployment: Deployment) -> None:
    disk.contents["/docs/copy.md"] = disk.contents["/docs/zebra.md"]
    given = disk.submit()
    del disk.contents["/docs/zebra.md"]
    pruned = disk.prune("/docs/zebra.md")
    assert pruned is not None
    assert pruned.deleted is False
    assert deployment.documents.sources(given["/docs/copy.md"]) == ["/docs/copy.md"]
    del disk.contents["/docs/copy.md"]
    pruned = disk.prune("/docs/copy.md")
    assert pruned is not None
    assert pruned.deleted is True


def test_only_what_lies_below_the_folder_is_looked_at(disk: Disk, deployment: Deployment, other_user: UserId) -> None:
    disk.contents["/docs and more/other.md"] = policy_text("Other")
    disk.submit()
    Disk(other_user, deployment, dict(disk.contents)).submit()
    disk.contents = {"/docs/dental.md": disk.contents["/docs/dental.md"]}
    assert disk.gone("/docs") == ["/docs/optical.md", "/docs/zebra.md"]


@pytest.mark.parametrize("folder", ["/docs", "/docs/", "/"])
def test_a_folder_may_be_spelt_with_a_slash_and_be_the_root(disk: Disk, folder: str) -> None:
    disk.submit()
    del disk.contents["/docs/zebra.md"]
    assert disk.gone(folder) == ["/docs/zebra.md"]


def test_what_came_by_another_way_than_from_a_file_stays(disk: Disk, deployment: Deployment, user: UserId) -> None:
    disk.submit()
    submit(deployment, user, policy_text("Posted"), "posted.md")
    assert deployment.intake_records.files_below(user, "/documents") == {}
    assert disk.gone("/documents", "/docs") == []


def test_what_cannot_be_looked_at_stays(disk: Disk) -> None:
    disk.submit()
    del disk.contents["/docs/zebra.md"]
    disk.unreadable.add("/docs/zebra.md")
    assert disk.gone("/docs") == []


def test_a_file_that_is_back_when_its_turn_comes_stays(disk: Disk, deployment: Deployment) -> None:
    disk.submit()
    assert disk.prune("/docs/zebra.md") is None
    assert deployment.documents.counts()["documents"] == 3


def test_nothing_happens_where_somebody_else_has_pruned_it(disk: Disk) -> None:
    disk.submit()
    del disk.contents["/docs/zebra.md"]
    assert disk.prune("/docs/zebra.md") is not None
    assert disk.prune("/docs/zebra.md") is None


def test_a_folder_of_which_nothing_is_left_is_pruned_only_when_that_is_meant(disk: Disk) -> None:
    disk.submit()
    disk.contents = {"/docs/new.md": policy_text("New")}
    with pytest.raises(PermanentError, match="prune_suspicious"):
        disk.gone("/docs")
    assert len(disk.gone("/docs", even_all=True)) == 3


def test_what_lay_on_a_disk_that_is_not_mounted_any_more_is_pruned_only_when_that_is_meant(disk: Disk) -> None:
    disk.mounts = {"/docs/share/": 2}
    disk.contents |= {f"/docs/share/{number}.md": policy_text(f"Shared {number}") for number in range(2)}
    disk.submit()
    del disk.contents["/docs/share/0.md"]
    assert disk.gone("/docs") == ["/docs/share/0.md"]
    del disk.contents["/docs/share/1.md"]
    assert disk.gone("/docs") == ["/docs/share/0.md", "/docs/share/1.md"]
    disk.mounts = {}
    with pytest.raises(PermanentError, match="prune_suspicious"):
        disk.gone("/docs")
    assert len(disk.gone("/docs", even_all=True)) == 2


def test_a_disk_may_have_another_number_after_a_restart(disk: Disk) -> None:
    disk.submit()
    disk.mounts = {"/": 9}
    del disk.contents["/docs/zebra.md"]
    assert disk.gone("/docs") == ["/docs/zebra.md"]


def end_idle_transactions(url: str) -> None:
    """Do what the server does to transactions that do nothing for too long."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND state = 'idle in transaction'"
        )


def test_a_document_whose_bytes_are_slow_to_go_is_pruned_all_the_same(
    disk: Disk, deployment: Deployment, settings: Settings, database_url: str
) -> None:
    class Slow(LocalFiles):
        def delete_below(self, prefix: str) -> int:
            end_idle_transactions(database_url)
            return super().delete_below(prefix)

    given = disk.submit()
    del disk.contents["/docs/zebra.md"]
    disk.deployment = deployment.replacing(objects=Slow(settings.objects_folder))
    pruned = disk.prune("/docs/zebra.md")
    assert pruned is not None
    assert pruned.deleted
    assert not list(settings.objects_folder.rglob(f"*{given['/docs/zebra.md']}*"))


def test_nothing_is_pruned_if_files_may_have_come_in_while_the_disk_was_looked_at(
    disk: Disk, deployment: Deployment, user: UserId, database_url: str
) -> None:
    class SlowDisk(Disk):
        def is_gone(self, path: str) -> bool:
            end_idle_transactions(database_url)
            return super().is_gone(path)

    disk.submit()
    del disk.contents["/docs/zebra.md"]
    with pytest.raises(OutageError, match="database_unreachable"):
        SlowDisk(user, deployment, disk.contents).prune("/docs/zebra.md")
    assert deployment.documents.counts()["documents"] == 3


FILES = st.lists(st.tuples(st.integers(1, 3), st.booleans(), st.integers(1, 3)), max_size=6)
"""Of each file: its disk, whether it is lost, and the disk on which it would lie now."""


@given(FILES)
def test_nothing_is_lost_unnoticed_of_a_disk_that_shows_nothing_of_itself(files: list[tuple[int, bool, int]]) -> None:
    known = {str(number): disk for number, (disk, _, _) in enumerate(files)}
    lost = {str(number): now for number, (_, is_lost, now) in enumerate(files) if is_lost}
    shown = {disk for disk, is_lost, _ in files if not is_lost}
    if lost and not is_suspicious(known, lost):
        assert shown
        assert all(disk in shown or disk == now for disk, is_lost, now in files if is_lost)


@given(FILES)
def test_where_all_disks_are_mounted_and_a_file_is_left_the_rest_may_go(files: list[tuple[int, bool, int]]) -> None:
    known = {str(number): disk for number, (disk, _, _) in enumerate(files)}
    lost = {str(number): disk for number, (disk, is_lost, _) in enumerate(files) if is_lost}
    assert is_suspicious(known, lost) == (len(lost) == len(known) > 0)
