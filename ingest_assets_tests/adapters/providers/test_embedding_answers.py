"""What an embedding provider, or somebody in its place, may make this system read."""

import gzip
import json
import tracemalloc
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from ingest_assets.adapters.providers import bounded_answers
from ingest_assets.adapters.providers.openai.embedder import OpenAIEmbedder
from ingest_assets.adapters.providers.openai.models import OpenAISettings
from ingest_assets.domain.errors import ResourceError, TransientError
from ingest_assets_tests.adapters.providers.test_openai_embedder import OpenGate
from ingest_assets_tests.adapters.providers.test_remote_answers import Answering
from ingest_assets_tests.contracts.embedder_contract import DOCUMENT, TEXTS
from ingest_assets_tests.emulators.openai import KEY, OpenAIEmulator
from ingest_assets_tests.emulators.server import Ending, Reply

UNPACKED = 100_000_000
LITTLE = 50_000_000
"""Bytes that a process can spare."""
SETTINGS = OpenAISettings(connect_seconds=2, answer_seconds=20)


@contextmanager
def answered(reply: Reply, settings: OpenAISettings = SETTINGS) -> Iterator[tuple[OpenAIEmbedder, OpenGate]]:
    gate = OpenGate()
    with Answering(reply) as provider:
        embedder = OpenAIEmbedder(lambda: KEY, f"{provider.url}/v1", gate, settings, pause=lambda _: None)
        with closing(embedder):
            yield embedder, gate


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """A few kilobytes that become a hundred megabytes."""
    packed = gzip.compress(gzip.compress(json.dumps({"text": "a" * UNPACKED}).encode()))
    assert len(packed) < 10_000
    return packed


@pytest.mark.parametrize("encoding", ["gzip, gzip", "GZIP ", "deflate"])
def test_a_compressed_answer_is_not_unpacked_and_its_cost_is_booked(bomb: bytes, encoding: str) -> None:
    reply = Reply(200, bomb, {"Content-Type": "application/json", "Content-Encoding": encoding})
    with answered(reply) as (embedder, gate):
        embedder.count_tokens(TEXTS[0])
        tracemalloc.start()
        try:
            with pytest.raises(TransientError, match="service_garbled"):
                embedder.embed(TEXTS, DOCUMENT)
            assert tracemalloc.get_traced_memory()[1] < LITTLE
        finally:
            tracemalloc.stop()
        [call] = gate.calls
        assert call.used is not None
        assert call.used.tokens > 0


def test_a_compressed_refusal_says_what_its_status_says(bomb: bytes) -> None:
    reply = Reply(401, bomb, {"Content-Type": "application/json", "Content-Encoding": "gzip, gzip"})
    with answered(reply) as (embedder, _), pytest.raises(ResourceError, match="service_key_refused"):
        embedder.embed(TEXTS, DOCUMENT)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("status", [200, 500])
def test_an_answer_without_end_is_not_read_to_it_and_may_have_cost(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(bounded_answers, "MOST_BYTES", 1_000_000)
    reply = Reply(status, b" " * 10_000, {"Content-Type": "application/json"}, Ending.ENDLESS)
    with answered(reply) as (embedder, gate):
        with pytest.raises(TransientError, match="service_garbled") as raised:
            embedder.embed(TEXTS, DOCUMENT)
        assert raised.value.may_have_cost
        assert [call.used for call in gate.calls] == [None]


@pytest.mark.timeout(60)
def test_an_answer_that_trickles_is_waited_for_no_longer_than_is_set() -> None:
    reply = Reply(200, b" ", {"Content-Type": "application/json"}, Ending.ENDLESS, pause=0.01)
    hasty = OpenAISettings(connect_seconds=2, answer_seconds=20, arrival_seconds=0.2)
    with (
        answered(reply, hasty) as (embedder, _),
        pytest.raises(TransientError, match="service_slow") as raised,
    ):
        embedder.embed(TEXTS, DOCUMENT)
    assert raised.value.may_have_cost


def test_a_plain_answer_is_asked_for() -> None:
    with OpenAIEmulator() as service:
        with closing(OpenAIEmbedder(lambda: KEY, service.base_url, OpenGate(), SETTINGS)) as embedder:
            embedder.embed(TEXTS, DOCUMENT)
        [request] = service.requests
        assert request["headers"]["accept-encoding"] == "identity"
