"""Large texts are cut where they hold nothing up, and end with a true reason."""

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest

from ingest_assets.adapters.parsers.chunker import LONGEST_HERE, LocalChunker
from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.adapters.parsers.pool import WorkerPool
from ingest_assets.adapters.parsers.sandbox import Worker
from ingest_assets.adapters.parsers.sealed.limits import ParserLimits
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import TransientError
from ingest_assets.domain.queue.retry_policy import RetryPolicy
from ingest_assets.domain.queue.stages import Stage, State
from ingest_assets.domain.text import chunking
from ingest_assets.pipeline.ports.providers import Chunker
from ingest_assets_tests.adapters.parsers.test_parser_sandbox import OBEDIENT_WORKER
from ingest_assets_tests.contracts.chunker_contract import SETTINGS, TEXTS, ChunkerContract
from ingest_assets_tests.documents import drain_all, status_of, submit
from ingest_assets_tests.domain.text.markdown_texts import DOCUMENT, parsed

SECONDS = 60
LARGE = "fire " * (LONGEST_HERE // 4)
HEADINGS = "# a\n" * 1_000_000
"""A text that takes the chunker several seconds."""


class TestLocalChunker(ChunkerContract):
    @pytest.fixture
    def chunker(self, parser: LocalParser) -> Chunker:
        return LocalChunker(SETTINGS, lambda: parser)


def test_only_large_texts_are_cut_outside_this_process(parser: LocalParser, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(chunking, "scan_blocks", refuse)
    chunker = LocalChunker(SETTINGS, lambda: parser)
    with pytest.raises(RuntimeError):
        chunker.chunk(DOCUMENT, parsed(TEXTS["a document"]))
    assert chunker.chunk(DOCUMENT, parsed(LARGE))


@pytest.mark.parametrize(
    ("happened", "code", "message"),
    [
        ("timeout", "chunking_timeout", "Cutting the text into chunks took longer than 120 seconds."),
        ("out_of_memory", "chunking_out_of_memory", "Cutting the text into chunks needed more than 2048 MB of memory."),
        ("parser_crashed", "chunking_crashed", "The chunker crashed on this document."),
        ("parser_killed", "parser_killed", "The parser was killed or stopped from outside (signal 9)."),
        ("host_out_of_memory", "host_out_of_memory", "The system ran out of memory and killed the parser."),
    ],
)
def test_what_happens_to_a_worker_that_chunks_is_said_of_chunking(
    monkeypatch: pytest.MonkeyPatch, happened: str, code: str, message: str
) -> None:
    def fail(*_: object) -> None:
        raise TransientError(happened, seconds=120, megabytes=2048, signal=9)

    parser = LocalParser()
    monkeypatch.setattr(parser, "cut", fail)
    with pytest.raises(TransientError) as failed:
        LocalChunker(SETTINGS, lambda: parser).chunk(DOCUMENT, parsed(LARGE))
    assert (failed.value.code, failed.value.message) == (code, message)


def test_a_hostile_text_becomes_a_dead_letter_whose_reason_is_its_chunking(
    deployment: Deployment, user: UserId
) -> None:
    parser = LocalParser(ParserLimits(seconds=1))
    hasty = deployment.replacing(local_parser=parser, retry_policy=RetryPolicy(first_delay=timedelta(0)))
    document_id = submit(deployment, user, HEADINGS, "hostile.md").document_id
    drain_all(hasty)
    status = status_of(deployment, document_id)
    assert (status.stage, status.state, status.error_code) == (
        Stage.CHUNKING,
        State.DEADLETTER,
        "chunking_timeout",
    )
    parser.close()


LYING_WORKER = OBEDIENT_WORKER.replace(
    "exec(content, scope)",
    """said = json.loads(content.decode().split("|")[1])
    rows = [frames.CUT.pack(*row) for row in said["rows"]]
    lines = [json.dumps(path).encode() + b"\\n" for path in said["paths"]]
    scope |= {"reply": {"cuts": said.get("count", len(rows))}, "body": b"".join([*rows, *lines])}""",
).replace("import ctypes", "import json\nfrom ingest_assets.adapters.parsers.sealed import frames\nimport ctypes")
TEXT = " a b"
GOOD_PATH: list[list[str]] = [[]]
LIES = {
    "no number of cuts": {"count": None, "paths": [], "rows": []},
    "half a cut": {"count": 0.5, "paths": [], "rows": []},
    "fewer cuts than said": {"count": 2, "paths": GOOD_PATH, "rows": [[1, 4, 1, 1, 1, 0, 0, 0]]},
    "more cuts than the chunker makes": {"paths": GOOD_PATH, "rows": [[0, 1, 0, 0, 0, 0, 0, 0]] * 50},
    "a text that is not covered": {"paths": [], "rows": []},
    "an end that is not covered": {"paths": GOOD_PATH, "rows": [[1, 2, 1, 1, 1, 0, 0, 0]]},
    "a chunk beyond the text": {"paths": GOOD_PATH, "rows": [[1, 4000, 1, 1, 1, 0, 0, 0]]},
    "a chunk without characters": {"paths": GOOD_PATH, "rows": [[1, 1, 1, 1, 1, 0, 0, 0]]},
    "a chunk that is too long": {"paths": GOOD_PATH, "rows": [[0, "LENGTH", 0, 0, 0, 0, 0, 0]]},
    "chunks out of order": {"paths": GOOD_PATH, "rows": [[3, 4, 3, 3, 3, 0, 0, 0], [1, 2, 1, 1, 1, 0, 0, 0]]},
    "a chunk that repeats too much": {
        "paths": GOOD_PATH,
        "rows": [[0, 210, 0, 0, 0, 0, 0, 0], [0, 211, 210, 0, 0, 0, 0, 0]],
    },
    "a header that is half of a chunk": {
        "paths": GOOD_PATH,
        "rows": [[0, 210, 0, 0, 0, 0, 0, 0], [202, 211, 210, 0, 202, 0, 0, 0]],
    },
    "a path that is not there": {"paths": [], "rows": [[1, 4, 1, 1, 1, 0, 0, 0]]},
    "a path that is none": {"paths": [7], "rows": [[1, 4, 1, 1, 1, 0, 0, 0]]},
    "a path that is an object": {"paths": [{}], "rows": [[1, 4, 1, 1, 1, 0, 0, 0]]},
    "more paths than chunks": {"paths": GOOD_PATH * 2, "rows": [[1, 4, 1, 1, 1, 0, 0, 0]]},
    "a line that is longer than a path": {"paths": [["x"] * 10_000], "rows": [[1, 4, 1, 1, 1, 0, 0, 0]]},
    "a long heading": {"paths": [["x" * 201]], "rows": [[1, 4, 1, 1, 1, 0, 0, 0]]},
    "a heading with a zero": {"paths": [["x\0"]], "rows": [[1, 4, 1, 1, 1, 0, 0, 0]]},
    "a deep path": {"paths": [["x"] * 7], "rows": [[1, 4, 1, 1, 1, 0, 0, 0]]},
    "a label of the row that is half of a chunk": {
        "paths": GOOD_PATH,
        "rows": [[0, 210, 0, 0, 0, 0, 0, 0], [202, 211, 210, 0, 0, 0, 202, 0]],
    },
    "a label behind what it stands before": {"paths": GOOD_PATH, "rows": [[1, 4, 1, 1, 1, 2, 4, 0]]},
    "a header after its rows": {"paths": GOOD_PATH, "rows": [[1, 4, 1, 2, 4, 0, 0, 0]]},
}


@pytest.fixture
def lying() -> Iterator[Worker]:
    started = Worker(ParserLimits(), (sys.executable, "-I", "-c", LYING_WORKER))
    yield started
    started.stop()


@pytest.mark.parametrize("lie", LIES.values(), ids=list(LIES))
def test_a_worker_that_lies_about_chunks_is_a_crash(lying: Worker, lie: object) -> None:
    text = TEXT + "|" + json.dumps(lie) + "|" + "x" * SETTINGS.max_characters
    text = text.replace('"LENGTH"', str(SETTINGS.max_characters + 1))
    with pytest.raises(TransientError) as failed:
        lying.cut(text, SETTINGS)
    assert failed.value.code == "parser_crashed"
    assert not lying.is_fit


def test_a_heavy_document_leaves_a_worker_to_light_ones() -> None:
    workers, go_on = WorkerPool(ParserLimits(workers=2)), Event()
    order: list[str] = []

    def hold(name: str) -> None:
        with workers.borrow(heavy=True):
            order.append(name)
            go_on.wait(SECONDS)

    with ThreadPoolExecutor(2) as pool:
        held = [pool.submit(hold, name) for name in ("first", "second")]
        while not order:
            pass
        with workers.borrow():
            order.append("light")
        go_on.set()
        for each in held:
            each.result(SECONDS)
    assert order[:2] in (["first", "light"], ["second", "light"])
    workers.close()
