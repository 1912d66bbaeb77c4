"""Finding 5: a worker that was taken over answers with whatever costs its parent most."""

import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest_assets.adapters.parsers.replies import REFUSALS, Reply, checked_cuts, checked_pages, checked_reply
from ingest_assets.adapters.parsers.sandbox import Worker
from ingest_assets.adapters.parsers.sealed.frames import CUT, LENGTHS, LONGEST_HEADER, read_frame, write_frame
from ingest_assets.adapters.parsers.sealed.limits import ParserLimits
from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.files.file_types import FileType
from ingest_assets.domain.text.chunking import ChunkingSettings, cut_text, most_cuts
from ingest_assets.domain.text.normalisation import has_words, normalise
from ingest_assets_tests.adapters.parsers.test_parser_sandbox import OBEDIENT_WORKER

LIMITS = ParserLimits(pages=20, seconds=30, output_bytes=4_000_000)
SETTINGS = ChunkingSettings()
MOST_GROWTH_MB = 64
MOST_SECONDS = 10
"""Of this process's own time, generously; the attack took 70."""

RAW_WORKER = OBEDIENT_WORKER.replace(
    "worker._load",
    """
def raw(header, length=0, body=b""):
    out = open(3, "wb", closefd=False)
    out.write(worker.write_frame.__globals__["LENGTHS"].pack(len(header), length) + header + body)
    out.flush()
    time.sleep(3600)

worker._load""",
    1,
)
COMMAND = (sys.executable, "-I", "-c", RAW_WORKER)
EXPENSIVE = {
    "a header of 90 MB": """raw(b'{"page_starts":[' + b'[],' * 30_000_000 + b'0]}')""",
    "a body that is only said to be long": "raw(b'', 1 << 63)",
    "a header of the longest length": """raw(b'{"page_starts":[' + b'{},' * 349_000 + b'0]}', 4, b'fire')""",
    "a body that is longer than allowed": "body = b'x' * 60_000_000",
    "a number of a million digits": """raw(b'{"resident_mb":' + b'9' * 1_000_000 + b'}')""",
    "a size that no process has": (
        """raw(b'{"page_starts":[],"seals":[],"resident_mb":1' + b'0' * 4000 + b'}', 4, b'fire')"""
    ),
    "seals without an end": (
        """raw(b'{"page_starts":[],"resident_mb":1,"seals":["filter"' + b',"filter"' * 99_000 + b']}', 4, b'fire')"""
    ),
    "pages behind every text": "reply, text = {'page_starts': [1 << 4000]}, 'fire'",
    "more pages than any file has": "reply = {'code': 'too_many_pages', 'pages': 1 << 4000}",
    "marks without an end": "body = b'a' + '\u0301\u0323'.encode() * 999_000",
    "arrays in arrays": "raw(b'[' * 1_000_000)",
    "objects in objects": """raw(b'{"a":' * 200_000)""",
}
SLOW = "body = '\u0e01\u0e38\u0e48'.encode() * 440_000"
"""A text of letters that cannot be normalised piece by piece."""
DRIP = """
os.write(3, worker.write_frame.__globals__["LENGTHS"].pack(2, 1000) + b"{}")
while True:
    os.write(3, b"x")
    time.sleep(0.1)
"""


@contextmanager
def lying_worker(limits: ParserLimits = LIMITS) -> Iterator[Worker]:
    started = Worker(limits, COMMAND)
    try:
        yield started
    finally:
        started.stop()


def resident_mb(figure: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(figure)) >> 10


@contextmanager
def little_cost() -> Iterator[None]:
    """Take little memory and time of this process, whatever the block does."""
    if sys.platform == "linux":
        Path("/proc/self/clear_refs").write_text("5")  # from here on, VmHWM is the peak since here
        before = resident_mb("VmRSS")
    began = time.thread_time()
    yield
    assert time.thread_time() - began < MOST_SECONDS
    if sys.platform == "linux":
        assert resident_mb("VmHWM") - before < MOST_GROWTH_MB


@pytest.mark.parametrize("lie", EXPENSIVE.values(), ids=list(EXPENSIVE))
def test_no_lie_costs_its_listener_much(lie: str) -> None:
    with lying_worker() as lying:
        with little_cost(), pytest.raises(IngestError) as failed:
            lying.ask(lie.encode(), FileType.HTML)
        assert failed.value.code == "parser_crashed"
        assert not lying.is_fit
        assert lying._process.wait(30) == -signal.SIGKILL  # at once, and not when the pool gets to it


EXPENSIVE_CUTS = {
    "a chunk for each few characters": "reply, body = {'cuts': 150_000}, row(0, 1, 0, 0, 0, 0, 0, 0) * 150_000",
    "more chunks than there are": "reply, body = {'cuts': 20_000}, b''",
    "a number of chunks that no text has": "reply, body = {'cuts': 1 << 4000}, b''",
    "heading paths without an end": "reply, body = {'cuts': 0}, b'[]\\n' * 1_000_000",
    "more heading paths than chunks": (
        "reply, body = {'cuts': 10}, row(0, 1, 0, 0, 0, 0, 0, 0) * 10 + b'[]\\n' * 1_000_000"
    ),
    "a heading path without an end": (
        "reply, body = {'cuts': 1}, row(0, 1, 0, 0, 0, 0, 0, 0) + b'[[],' + b'[],' * 1_000_000"
    ),
    "arrays in arrays": "reply, body = {'cuts': 1}, row(0, 1, 0, 0, 0, 0, 0, 0) + b'[' * 3_000_000",
}


@pytest.mark.parametrize("lie", EXPENSIVE_CUTS.values(), ids=list(EXPENSIVE_CUTS))
def test_no_lie_about_chunks_costs_its_listener_much(lie: str) -> None:
    frames = "from ingest_assets.adapters.parsers.sealed import frames"
    program = OBEDIENT_WORKER.replace(
        "exec(content, scope)", f"exec({f'{frames}; row = frames.CUT.pack; {lie}'!r}, scope)"
    )
    lying = Worker(LIMITS, (sys.executable, "-I", "-c", program))
    try:
        with little_cost(), pytest.raises(IngestError) as failed:
            lying.cut("word " * 400_000, SETTINGS)
        assert failed.value.code == "parser_crashed"
        assert lying._process.wait(30) == -signal.SIGKILL
    finally:
        lying.stop()


def test_no_text_costs_its_listener_much() -> None:
    with lying_worker() as lying, little_cost():
        reply = lying.ask(SLOW.encode(), FileType.HTML)
        assert len(reply.text) == 3 * 440_000


def test_a_reply_that_drips_ends_at_the_limit_of_time() -> None:
    with lying_worker(ParserLimits(seconds=1)) as lying, pytest.raises(IngestError) as failed:
        lying.ask(DRIP.encode(), FileType.HTML)
    assert failed.value.code == "timeout"


def test_the_limit_of_time_also_holds_while_a_reply_is_checked() -> None:
    def over() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        checked_reply({"page_starts": [], "warnings": {}, "attachments": []}, b"fire", LIMITS, over)
    with pytest.raises(TimeoutError):
        checked_cuts({"cuts": 1}, CUT.pack(0, 4, 0, 0, 0, 0, 0, 0) + b"[]\n", "fire", SETTINGS, LIMITS, over)
    with lying_worker() as lying:
        lying._expired = True
        with pytest.raises(IngestError) as failed:
            lying.ask(b"text = 'fire'", FileType.HTML)
    assert failed.value.code == "timeout"


def in_time() -> None: ...


NUMBERS = st.one_of(st.integers(-2, 30), st.integers(), st.sampled_from([2**31, 2**32, 2**63, 10**400]), st.floats())
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=8), st.sampled_from(sorted(REFUSALS))),
    lambda inner: st.one_of(
        st.lists(inner, max_size=30),
        st.dictionaries(st.sampled_from(["code", "pages", "cuts", "x"]), inner, max_size=4),
    ),
)
HEADERS = st.dictionaries(
    st.sampled_from(["code", "pages", "page_starts", "warnings", "attachments", "cuts", "resident_mb"]), ANYTHING
)
BODIES = st.one_of(st.binary(max_size=200), st.text(max_size=50).map(str.encode))


@given(HEADERS, BODIES)
def test_whatever_a_worker_says_of_a_document_is_a_checked_reply_or_refused(
    header: dict[str, object], body: bytes
) -> None:
    try:
        reply = checked_reply(header, body, LIMITS, in_time)
    except ValueError:
        return
    if isinstance(reply, Reply):
        assert has_words(reply.text)
        assert normalise(reply.text) == reply.text
        assert list(reply.page_starts) == sorted(reply.page_starts)
        assert all(0 <= start <= len(reply.text) for start in reply.page_starts)
        assert len(reply.page_starts) <= LIMITS.pages
    else:
        assert reply.code in REFUSALS
        assert len(str(reply.message)) < 300


@given(HEADERS)
def test_whatever_a_worker_says_of_pages_is_a_number_that_a_file_can_have_or_refused(header: dict[str, object]) -> None:
    try:
        assert 0 <= checked_pages(header) <= 1 << 20
    except ValueError:
        return


ROWS = st.lists(st.tuples(*[st.integers(0, 40)] * 7, st.integers(0, 3)), max_size=12)
LINES = st.lists(st.one_of(st.lists(st.text(max_size=6), max_size=7), ANYTHING), max_size=4)
COVERED = "# Fire\n\nwater, and some air\n| a | b |"


@given(st.one_of(st.none(), NUMBERS), ROWS, LINES, st.binary(max_size=30))
@example(None, [(0, len(COVERED), 0, 0, 0, 0, 0, 0)], [["Fire"]], b"")
def test_whatever_a_worker_says_of_chunks_covers_the_text_within_bounds_or_is_refused(
    count: object, rows: list[tuple[int, ...]], lines: list[object], rest: bytes
) -> None:
    body = b"".join(CUT.pack(*row) for row in rows) + b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    header = {"cuts": len(rows) if count is None else count}
    settings = ChunkingSettings(30, 10)
    try:
        cuts = checked_cuts(header, body + rest, COVERED, settings, LIMITS, in_time)
    except ValueError:
        return
    assert isinstance(cuts, list)
    assert len(cuts) <= most_cuts(len(COVERED), settings)
    covered = {at for cut in cuts for at in range(cut.own_start, cut.end)}
    assert all(at in covered or letter.isspace() for at, letter in enumerate(COVERED))
    for cut in cuts:
        repeated = cut.header_end - cut.header_start + cut.label_end - cut.label_start
        assert cut.end - cut.start + repeated <= settings.max_characters
        assert cut.own_start - cut.start <= settings.overlap_characters


@given(st.binary(max_size=100), st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1))
def test_whatever_bytes_arrive_are_a_frame_within_its_lengths_or_refused(
    content: bytes, header_length: int, body_length: int
) -> None:
    for stream in (content, LENGTHS.pack(header_length, body_length) + content):
        try:
            header, body = read_frame(BytesIO(stream), 50)
        except (EOFError, ValueError):
            continue
        assert isinstance(header, dict)
        assert len(body) <= 50


def test_a_header_is_refused_by_the_length_that_it_claims_before_anything_of_it_is_read() -> None:
    class Unread(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            assert size is not None
            assert size <= LENGTHS.size
            return super().read(size)

    for lengths in ((LONGEST_HEADER + 1, 0), (2**32 - 1, 0), (0, 51), (0, 2**63)):
        with pytest.raises(ValueError, match=r"^$"):
            read_frame(Unread(LENGTHS.pack(*lengths)), 50)


HONEST = {
    "headings only": "# a\n" * 400,
    "headings among long sections": ("## b\n\n" + "word " * 300 + "\n\n# c\n\n") * 20,
    "a table with a wide header": "| " + "x" * 40 + " | b |\n|---|---|\n" + "| 1 | 2 |\n" * 300,
    "one letter per line": "a\n\n" * 500,
    "no spaces": "x" * 5000,
    "white space": " a" + " " * 4000 + "b",
    "nothing but marks": "- \n" * 500 + "| a |\n|---|\n" * 100,
    "a deep path": "".join("#" * level + " " + 'é"' * 90 + "\n\n" for level in range(1, 7)) + "word " * 500,
}


@pytest.mark.parametrize("text", HONEST.values(), ids=list(HONEST))
@pytest.mark.parametrize(
    "settings", [SETTINGS, ChunkingSettings(100, 50), ChunkingSettings(7, 3), ChunkingSettings(1, 0)]
)
def test_what_an_honest_worker_says_is_believed(text: str, settings: ChunkingSettings) -> None:
    from ingest_assets.adapters.parsers.sealed.cutting import cut  # noqa: PLC0415  (of the worker's room)

    stream = BytesIO()
    count, body = cut(
        text.encode(), {"max_characters": settings.max_characters, "overlap_characters": settings.overlap_characters}
    )
    write_frame(stream, {"cuts": count}, body)
    stream.seek(0)
    expected = list(cut_text(text, settings))

    assert len(expected) <= most_cuts(len(text), settings)
    assert checked_cuts(*read_frame(stream, LIMITS.output_bytes), text, settings, LIMITS, in_time) == expected


@given(
    st.lists(
        st.sampled_from(
            ["# a\n", "## b\n\n", "w ", "word. ", "\n\n", "| a | b |\n", "|---|---|\n", "```\n", "- x\n", "y" * 40]
        ),
        max_size=60,
    ).map("".join),
    st.integers(1, 60),
)
def test_the_chunker_never_makes_more_cuts_than_a_worker_may_claim(text: str, size: int) -> None:
    settings = ChunkingSettings(size, size // 2)
    assert len(list(cut_text(text, settings))) <= most_cuts(len(text), settings)
