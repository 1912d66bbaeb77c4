"""LlamaParse and OpenAI as the tests emulate them, slow as they are, in a process of their own.

.venv/bin/python -m benchmarks.emulated_services PARSE_SECONDS EMBED_SECONDS: prints the addresses as JSON, serves until
its standard input ends, and then prints what it saw.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from ingest_assets_tests.emulators import llamaparse, openai
from ingest_assets_tests.emulators.llamaparse import LlamaParseEmulator, RemoteJob
from ingest_assets_tests.emulators.openai import OpenAIEmulator
from ingest_assets_tests.emulators.server import Reply, Request

NEVER = sys.maxsize
POLL = "/job/"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the services saw."""

    in_flight: int
    """The most parse jobs under way at once."""
    uploads: int
    polls: int
    results: int
    embeddings: int
    embeddings_in_flight: int
    """The most embedding requests under way at once."""


@dataclass(slots=True)
class Services:
    """Emulated services that run until the end of the block that started them."""

    llamaparse_url: str
    openai_url: str
    seen: Seen | None = None
    """Known once they have ended."""

    @property
    def environment(self) -> dict[str, str]:
        """Points a deployment at them."""
        return {
            "LLAMA_CLOUD_API_KEY": llamaparse.KEY,
            "LLAMA_CLOUD_BASE_URL": self.llamaparse_url,
            "OPENAI_API_KEY": openai.KEY,
            "OPENAI_BASE_URL": self.openai_url,
        }


class SlowLlamaParse(LlamaParseEmulator):
    """Each job is done this long after its upload, whoever asks how often."""

    def __init__(self, seconds: float) -> None:
        super().__init__(pending_polls=NEVER)
        self.most_in_flight = 0
        self._seconds = seconds
        self._ends: dict[str, float] = {}

    def answer(self, request: Request) -> Reply:
        job_id = request.path.rpartition(POLL)[2]
        if job_id in self._ends and time.monotonic() >= self._ends[job_id]:
            self.finish(job_id)
        return super().answer(request)

    def _job(self, fields: dict[str, str], filename: str, content: bytes) -> RemoteJob:
        job = super()._job(fields, filename, content)
        self._begin(job.job_id)
        return job

    def _begin(self, job_id: str) -> None:
        now = time.monotonic()
        with self.lock:
            self._ends[job_id] = now + self._seconds
            under_way = sum(end > now for end in self._ends.values())
            self.most_in_flight = max(self.most_in_flight, under_way)


class SlowOpenAI(OpenAIEmulator):
    """Each call takes this long."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.most_in_flight = 0
        self._in_flight = 0
        self._seconds = seconds

    def answer(self, request: Request) -> Reply:
        end = time.monotonic() + self._seconds
        with self.lock:
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            reply = super().answer(request)
            time.sleep(max(0.0, end - time.monotonic()))
        finally:
            with self.lock:
                self._in_flight -= 1
        return reply


@contextmanager
def emulated_services(parse_seconds: float, embed_seconds: float) -> Iterator[Services]:
    """Run the services in a process that shares no lock of the interpreter with what is measured."""
    command = [sys.executable, "-m", "benchmarks.emulated_services", str(parse_seconds), str(embed_seconds)]
    pipe, folder = subprocess.PIPE, Path(__file__).parents[1]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=folder) as process:
        assert process.stdout is not None
        services = Services(**json.loads(process.stdout.readline()))
        try:
            yield services
        finally:
            told, _ = process.communicate()
            services.seen = Seen(**json.loads(told))


def main(parse_seconds: float, embed_seconds: float) -> None:
    threading.stack_size(256 * 1024)  # each connection that a client keeps open holds a thread
    with SlowLlamaParse(parse_seconds) as parsing, SlowOpenAI(embed_seconds) as embedding:
        print(json.dumps({"llamaparse_url": parsing.url, "openai_url": embedding.base_url}), flush=True)
        sys.stdin.read()
        counts = {operation: parsing.counts[operation] for operation in ("uploads", "polls", "results")}
        embeddings = {"embeddings": len(embedding.requests), "embeddings_in_flight": embedding.most_in_flight}
        seen = Seen(parsing.most_in_flight, **counts, **embeddings)
    print(json.dumps(asdict(seen)))


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
