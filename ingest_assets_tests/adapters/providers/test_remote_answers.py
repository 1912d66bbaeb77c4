"""What a parsing provider, or somebody in its place, may make this system read."""

import asyncio
import gzip
import json

import httpx
import pytest

from ingest_assets.adapters.providers import bounded_answers
from ingest_assets.adapters.providers.llamaparse.settings import LlamaParseSettings
from ingest_assets.adapters.providers.remote_parsing.transport import StrictTransport
from ingest_assets.domain.errors import TransientError
from ingest_assets_tests.emulators.server import Emulator, Reply, Request, json_reply

BOMB = gzip.compress(gzip.compress(json.dumps({"text": "a" * 10_000_000}).encode()))
ONE_TRY = LlamaParseSettings(request_tries=1)


class Answering(Emulator):
    """Gives every request the same answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply

    def answer(self, request: Request) -> Reply:  # noqa: ARG002  whatever is asked
        return self.reply


def content_of(reply: Reply) -> bytes:
    """Return what is read of an answer."""

    async def get(url: str) -> bytes:
        async with httpx.AsyncClient(transport=StrictTransport(url, ONE_TRY)) as client:
            return (await client.get(url)).content

    with Answering(reply) as provider:
        return asyncio.run(get(provider.url))


def test_an_answer_is_read_as_it_was_sent() -> None:
    assert json.loads(content_of(json_reply(200, {"id": "1"}))) == {"id": "1"}


@pytest.mark.parametrize("encoding", ["gzip, gzip", "gzip", "GZIP ", "deflate"])
def test_a_compressed_answer_is_not_unpacked(encoding: str) -> None:
    with pytest.raises(TransientError, match="service_garbled"):
        content_of(Reply(200, BOMB, {"Content-Type": "application/json", "Content-Encoding": encoding}))


def test_an_answer_without_end_is_not_read_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_answers, "MOST_BYTES", 1_000)
    assert content_of(json_reply(200, {"text": "a" * 900}))
    with pytest.raises(TransientError, match="service_garbled"):
        content_of(json_reply(200, {"text": "a" * 1_000}))
