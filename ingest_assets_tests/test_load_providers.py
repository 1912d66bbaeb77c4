"""What the load test's emulated providers notice, and the small client of its callers, over real sockets."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

import httpx
import pytest

from benchmarks.load.connections import Answer, Connections
from benchmarks.load.plan import LoadPlan
from benchmarks.load.unsure_providers import ProvidersSeen, UnsureLlamaParse, UnsureOpenAI, query_hash
from ingest_assets_tests.emulators import llamaparse, openai
from ingest_assets_tests.emulators.llamaparse import Fault
from ingest_assets_tests.emulators.server import RESET, Emulator, Reply, Request, json_reply
from ingest_assets_tests.sample_files import pdf

SURE = LoadPlan(parse_seconds=0, embed_seconds=0, fault_share=0, limited_share=0)
CONTENT = pdf("Fire cover.")


@pytest.fixture
def parsing() -> Iterator[UnsureLlamaParse]:
    with UnsureLlamaParse(SURE) as provider:
        yield provider


@pytest.fixture
def embedding() -> Iterator[UnsureOpenAI]:
    with UnsureOpenAI(SURE) as provider:
        yield provider


def upload(provider: UnsureLlamaParse, content: bytes = CONTENT) -> httpx.Response:
    headers = {"Authorization": f"Bearer {llamaparse.KEY}"}
    return httpx.post(f"{provider.url}/api/parsing/upload", files={"file": ("a.pdf", content)}, headers=headers)


def look(provider: UnsureLlamaParse, job_id: str) -> str:
    headers = {"Authorization": f"Bearer {llamaparse.KEY}"}
    return str(httpx.get(f"{provider.url}/api/parsing/job/{job_id}", headers=headers).json()["status"])


def embed(provider: UnsureOpenAI, *texts: str, occasion: str | None = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {openai.KEY}"} | ({"X-Client-Request-Id": occasion} if occasion else {})
    order = {"model": "text-embedding-3-small", "input": list(texts)}
    return httpx.post(f"{provider.base_url}/embeddings", json=order, headers=headers)


def test_a_content_that_is_uploaded_twice_is_an_extra_job_unless_its_answer_was_lost(
    parsing: UnsureLlamaParse,
) -> None:
    upload(parsing)
    parsing.script("uploads", Fault.LOST_ANSWER)
    with pytest.raises(httpx.HTTPError):
        upload(parsing)
    assert (parsing.extra_jobs, parsing.lost_uploads) == (1, 1)
    upload(parsing)
    seen = ProvidersSeen(extra_jobs=parsing.extra_jobs, lost_uploads=parsing.lost_uploads)
    assert seen.paid_twice == 1


def test_it_is_noted_when_a_client_first_sees_that_a_job_has_ended(parsing: UnsureLlamaParse) -> None:
    job_id = upload(parsing).json()["id"]
    assert look(parsing, job_id) == "SUCCESS"
    noted = dict(parsing.noticed)
    assert noted.keys() == {job_id}
    look(parsing, job_id)
    assert parsing.noticed == noted


def test_a_job_that_failed_by_a_fault_may_be_paid_again() -> None:
    with UnsureLlamaParse(replace(SURE, parse_seconds=60)) as parsing:
        job_id = upload(parsing).json()["id"]
        parsing.script("polls", Fault.JOB_ERROR)
        assert look(parsing, job_id) == "ERROR"
        upload(parsing)
        seen = ProvidersSeen(extra_jobs=parsing.extra_jobs, failed_jobs=parsing.failed_jobs)
        assert (seen.extra_jobs, seen.failed_jobs, seen.paid_twice) == (1, 1, 0)


def test_only_texts_of_documents_count_as_paid_again(embedding: UnsureOpenAI) -> None:
    embed(embedding, "a question")
    embed(embedding, "a question")
    assert embedding.extra_texts == 0
    embed(embedding, "a chunk", "another", occasion="request-1")
    embed(embedding, "a chunk", occasion="request-1")
    assert embedding.extra_texts == 1
    assert embedding.queries.keys() == {query_hash("a question")}


def test_equal_texts_get_equal_vectors_and_others_get_others(embedding: UnsureOpenAI) -> None:
    data = embed(embedding, "one", "other", "one").json()["data"]
    one, other, again = (entry["embedding"] for entry in data)
    assert one == again != other
    assert sum(value * value for value in one) == pytest.approx(1, abs=1e-3)


def test_faults_of_a_query_are_noted_with_it() -> None:
    with UnsureOpenAI(LoadPlan(embed_seconds=0, fault_share=1, limited_share=0)) as provider:
        for _ in range(3):
            try:
                embed(provider, "a question")
            except httpx.HTTPError:
                continue
        assert provider.queries[query_hash("a question")].faults == 3


class Echo(Emulator):
    """Answers with what was sent; resets a connection on which it was sent nothing."""

    def answer(self, request: Request) -> Reply:
        return json_reply(200, request.body.decode()) if request.body else RESET


def posts(url: str, *bodies: bytes) -> list[Answer]:
    async def run() -> list[Answer]:
        connections = Connections(url)
        headers: Mapping[str, str] = {"Content-Type": "text/plain"}
        answers = [await connections.post("/", body, headers, 10) for body in bodies]
        assert len(connections._idle) == 1
        connections.close()
        return answers

    return asyncio.run(run())


def test_a_connection_serves_one_request_after_another() -> None:
    with Echo() as service:
        assert [json.loads(answer.body) for answer in posts(service.url, b"one", b"two")] == ["one", "two"]


def test_an_answer_that_does_not_come_is_an_error_of_the_network() -> None:
    with Echo() as service, pytest.raises(OSError, match=r"reset|none"):
        posts(service.url, b"")
