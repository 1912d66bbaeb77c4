"""Hostile files through intake, queue and all four steps, beside documents that are only what they seem."""

import re
import sys
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import zip_longest
from pathlib import Path
from threading import Event

import pytest

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.adapters.parsers.sealed.limits import ParserLimits
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.files.filenames import safe_filename
from ingest_assets.domain.queue.retry_policy import RetryPolicy
from ingest_assets.domain.queue.stages import State
from ingest_assets.pipeline.drain import DrainLimits
from ingest_assets.settings import Settings
from ingest_assets_tests.adapters.parsers.test_parsing_the_corpus import REFUSALS, TEXTS
from ingest_assets_tests.conftest import CORPUS, deployment_for
from ingest_assets_tests.documents import policy_text, submit
from ingest_assets_tests.hostile.files import NAMES, SEARCHABLE, HostileFile, hostile_files

LIMITS = ParserLimits(seconds=10, memory_mb=1024, workers=2)
AT_ONCE = RetryPolicy(first_delay=timedelta(0))
GOOD_DOCUMENTS = 20
MOST_GROWTH_MB = 150
STORED = re.compile(r"[0-9a-f-]{36}/[0-9a-f-]{36}/[0-9a-f]{64}(\.md)?")


@pytest.fixture
def deployment(settings: Settings) -> Iterator[Deployment]:
    parser = LocalParser(LIMITS)
    with deployment_for(settings, parser) as made:
        yield made.replacing(retry_policy=AT_ONCE)
    parser.close()


def take_in(deployment: Deployment, user: UserId, content: bytes, name: str) -> DocumentId | str:
    """The document, or the code that the file is refused for."""
    try:
        return submit(deployment, user, content, name, source=f"test:{name!a}").document_id
    except PermanentError as refused:
        return refused.code


def outcome(deployment: Deployment, taken_in: DocumentId | str) -> str:
    if isinstance(taken_in, str):
        return taken_in
    status = deployment.documents.status(taken_in)
    assert status is not None
    if status.state is State.DEADLETTER:
        return status.error_code or "dead without a code"
    return SEARCHABLE if status.live_version else f"{status.stage}/{status.state}"


def drain_until_empty(deployment: Deployment) -> None:
    limits = DrainLimits(idle=timedelta(0), until_empty=True)
    deployment.drain.run("worker", limits, stop=Event(), report=lambda: None)


def good_documents() -> Iterator[HostileFile]:
    for number in range(GOOD_DOCUMENTS):
        text = policy_text(f"Subject {number}", 4).encode()
        yield HostileFile(f"good-{number}.md", text, frozenset({SEARCHABLE}))


def surprises(deployment: Deployment, user: UserId, files: Iterable[HostileFile]) -> dict[str, str]:
    """What became of those files, and of good ones submitted among them, of which something else was expected."""
    mixed = (file for pair in zip_longest(files, good_documents()) for file in pair if file)
    taken_in = [(file.name, file.outcomes, take_in(deployment, user, file.content, file.name)) for file in mixed]
    drain_until_empty(deployment)
    became = ((name, outcome(deployment, each), expected) for name, expected, each in taken_in)
    return {name: found for name, found, expected in became if found not in expected}


def resident_mb(figure: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(figure)) >> 10


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process's peak of memory since a moment")
def test_hostile_files_end_by_their_class_while_good_documents_land_and_memory_stays_flat(
    deployment: Deployment, user: UserId, other_user: UserId
) -> None:
    assert surprises(deployment, user, []) == {}
    Path("/proc/self/clear_refs").write_text("5")  # from here on, VmHWM is the peak since here
    before = resident_mb("VmRSS")

    assert surprises(deployment, other_user, hostile_files()) == {}
    assert resident_mb("VmHWM") - before < MOST_GROWTH_MB


def test_the_corpus_s_hostile_files_end_by_their_class_while_good_documents_land(
    deployment: Deployment, user: UserId
) -> None:
    if not CORPUS.exists():
        pytest.skip("../shared/corpus is not here: its hostile files were not tried")
    paths = sorted((CORPUS / "hostile").iterdir())
    expected = {**dict.fromkeys(TEXTS, SEARCHABLE), **REFUSALS}
    files = [HostileFile(path.name, path.read_bytes(), frozenset({expected[f"hostile/{path.name}"]})) for path in paths]

    assert surprises(deployment, user, files) == {}


def test_a_name_is_never_a_place(deployment: Deployment, user: UserId, settings: Settings) -> None:
    documents = {
        name: take_in(deployment, user, policy_text(f"Name {at}").encode(), name) for at, name in enumerate(NAMES)
    }
    drain_until_empty(deployment)

    for name, document_id in documents.items():
        assert outcome(deployment, document_id) == SEARCHABLE
        assert not isinstance(document_id, str)
        document = deployment.documents.find(document_id)
        assert document is not None
        assert document.filename == safe_filename(name)
    stored = [
        path.relative_to(settings.objects_folder) for path in settings.objects_folder.rglob("*") if path.is_file()
    ]
    assert len(stored) == 2 * len(NAMES)
    assert all(STORED.fullmatch(str(path)) for path in stored)
