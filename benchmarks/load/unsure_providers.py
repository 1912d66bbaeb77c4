"""LlamaParse and OpenAI as the tests emulate them, at a real provider's pace and with its faults, in their own process.

.venv/bin/python -m benchmarks.load.unsure_providers PLAN: prints the addresses as JSON, serves until its standard input
ends, and then prints what it saw.
"""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.emulated_services import SlowLlamaParse, SlowOpenAI
from benchmarks.load.plan import LoadPlan
from ingest_assets_tests.emulators import llamaparse, openai
from ingest_assets_tests.emulators.llamaparse import Fault as ParseFault
from ingest_assets_tests.emulators.openai import Fault as EmbedFault
from ingest_assets_tests.emulators.openai import Order
from ingest_assets_tests.emulators.server import Plan, Reply, Request

FOLDER = Path(__file__).parents[2]
PARSE_FAULTS = (
    *(ParseFault.SERVER_ERROR, ParseFault.BAD_GATEWAY, ParseFault.RESET, ParseFault.LOST_ANSWER),
    *(ParseFault.TRUNCATED, ParseFault.HTML_ANSWER, ParseFault.JOB_ERROR),
)
EMBED_FAULTS = (
    *(EmbedFault.SERVER_ERROR, EmbedFault.BAD_GATEWAY, EmbedFault.RESET, EmbedFault.TRUNCATED),
    *(EmbedFault.WRONG_DIMENSION, EmbedFault.MISSING_VECTORS),
)
PAID_BUT_UNKNOWN = {ParseFault.LOST_ANSWER, ParseFault.TRUNCATED, ParseFault.HTML_ANSWER}
"""Of an upload: the provider has a remote job of which its client learns nothing, so the client must repeat it."""
CHARACTERS_PER_TOKEN = 4
DIMENSIONS, VECTOR_PARTS = 1536, 4096


class Forgetful(list[Any]):
    """Keeps nothing of what it is given: the emulators' list of requests would hold every document."""

    def append(self, _: object) -> None:
        return


@dataclass(slots=True)
class Answered:
    """How the provider answered the query of a search."""

    seconds: float = 0.0
    """In all, if the search asked several times."""
    faults: int = 0


@dataclass(slots=True)
class ProvidersSeen:
    """What the providers saw."""

    uploads: int = 0
    polls: int = 0
    results: int = 0
    embeddings: int = 0
    in_flight: int = 0
    """The most remote jobs under way at once."""
    noticed_after: list[float] = field(default_factory=list)
    """For each remote job that succeeded: how long after its end its client first saw that it had ended."""
    faults: dict[str, int] = field(default_factory=dict)
    lost_uploads: int = 0
    """Uploads that were served, although their client was told otherwise."""
    failed_jobs: int = 0
    """Remote jobs that failed by an injected fault, and so cost nothing."""
    extra_jobs: int = 0
    """Remote jobs beyond the first of each content."""
    extra_texts: int = 0
    """Texts of documents whose vector was sent whole more than once."""
    queries: dict[str, Answered] = field(default_factory=dict)
    """By the hash of the query."""

    @property
    def paid_twice(self) -> int:
        """What was paid for again, although nothing that was injected explains it."""
        return max(0, self.extra_jobs - self.lost_uploads - self.failed_jobs) + self.extra_texts


@dataclass(slots=True)
class Providers:
    """Emulated providers that run until the end of the block that started them."""

    pid: int
    llamaparse_url: str
    openai_url: str
    seen: ProvidersSeen | None = None
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


class UnsureLlamaParse(SlowLlamaParse):
    def __init__(self, plan: LoadPlan) -> None:
        super().__init__(plan.parse_seconds)
        limited = ParseFault.BUSY_WITH_RETRY_AFTER
        self.plan = _fault_plan(plan, PARSE_FAULTS, limited, seed=plan.seed)
        self.requests = Forgetful()
        self.met: Counter[tuple[str, ParseFault]] = Counter()
        """How often each operation met each fault."""
        self.noticed: dict[str, float] = {}

    def answer(self, request: Request) -> Reply:
        reply = super().answer(request)
        job_id = request.path.rpartition("/job/")[2]
        if job_id in self._ends and job_id not in self.noticed and b"SUCCESS" in reply.body:
            self.noticed[job_id] = time.monotonic() - self._ends[job_id]
        return reply

    def _fault(self, operation: str) -> ParseFault | None:
        fault = super()._fault(operation)
        if fault is not None:
            with self.lock:
                self.met[operation, fault] += 1
        return fault

    @property
    def lost_uploads(self) -> int:
        return sum(times for (operation, fault), times in self.met.items() if _is_lost(operation, fault))

    @property
    def extra_jobs(self) -> int:
        jobs = Counter(job.fingerprint for job in self.jobs.values())
        return sum(times - 1 for times in jobs.values())

    @property
    def failed_jobs(self) -> int:
        return sum(job.error_code == "INTERNAL_ERROR" for job in self.jobs.values())


class UnsureOpenAI(SlowOpenAI):
    """Gives each text a vector that depends on its words only by a hash, because that costs the machine little."""

    def __init__(self, plan: LoadPlan) -> None:
        super().__init__(plan.embed_seconds)
        self.plan = _fault_plan(plan, EMBED_FAULTS, EmbedFault.RATE_LIMITED, seed=plan.seed + 1)
        self.requests = Forgetful()
        self.queries: dict[str, Answered] = {}
        self.answered = 0
        self._present = threading.local()
        self._parts = np.random.default_rng(plan.seed).standard_normal((VECTOR_PARTS, DIMENSIONS), np.float32)

    def answer(self, request: Request) -> Reply:
        begun = time.monotonic()
        self._present.query, self._present.faults = None, 0
        reply = super().answer(request)
        with self.lock:
            self.answered += 1
            if self._present.query is not None:
                answered = self.queries.setdefault(self._present.query, Answered())
                answered.seconds += time.monotonic() - begun
                answered.faults += self._present.faults
        return reply

    def next_fault(self) -> StrEnum | None:
        fault = super().next_fault()
        self._present.faults += fault is not None
        return fault

    def vectors(self, order: Order) -> NDArray[np.float32]:
        """Return the sum of two random vectors that a hash of the text chooses, as a vector of length 1."""
        hashes = np.array([int.from_bytes(_digest(text)[:4]) for text in order.texts])
        summed = self._parts[hashes % VECTOR_PARTS] + self._parts[hashes // VECTOR_PARTS % VECTOR_PARTS]
        return np.asarray(summed / np.linalg.norm(summed, axis=1, keepdims=True), np.float32)

    @property
    def extra_texts(self) -> int:
        return sum(times - 1 for times in self.paid.values())

    def _order(self, request: Request) -> Order:
        body = json.loads(request.body)
        texts: list[str] = body["input"]
        if "x-client-request-id" not in request.headers:  # only calls for a document name an occasion
            self._present.query = query_hash(texts[0])
        tokens = sum(len(text) for text in texts) // CHARACTERS_PER_TOKEN
        return Order(body["model"], texts, tokens, DIMENSIONS, body.get("encoding_format") == "base64")

    def _charge(self, order: Order, *, spoiled: bool) -> None:
        if not spoiled and self._present.query is None:
            with self.lock:
                self.paid.update(_digest(text).hex() for text in order.texts)


def query_hash(query: str) -> str:
    """Return the name by which the test finds the provider's part of a search again."""
    return _digest(query).hex()


@contextmanager
def unsure_providers(plan: LoadPlan) -> Iterator[Providers]:
    """Run the providers in a process that shares no lock of the interpreter with what is measured."""
    command = [sys.executable, "-m", "benchmarks.load.unsure_providers", json.dumps(asdict(plan))]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=FOLDER) as process:
        assert process.stdout is not None
        providers = Providers(process.pid, **json.loads(process.stdout.readline()))
        try:
            yield providers
        finally:
            told, _ = process.communicate()
            seen = json.loads(told)
            queries = {name: Answered(**answered) for name, answered in seen.pop("queries").items()}
            providers.seen = ProvidersSeen(**seen, queries=queries)


def main(plan: LoadPlan) -> None:
    threading.stack_size(256 * 1024)  # each connection that a client keeps open holds a thread
    with UnsureLlamaParse(plan) as parsing, UnsureOpenAI(plan) as embedding:
        print(json.dumps({"llamaparse_url": parsing.url, "openai_url": embedding.base_url}), flush=True)
        sys.stdin.read()
        seen = _seen(parsing, embedding)
    print(json.dumps(asdict(seen)))


def _seen(parsing: UnsureLlamaParse, embedding: UnsureOpenAI) -> ProvidersSeen:
    with parsing.lock, embedding.lock:
        return ProvidersSeen(
            uploads=parsing.counts["uploads"],
            polls=parsing.counts["polls"],
            results=parsing.counts["results"],
            embeddings=embedding.answered,
            in_flight=parsing.most_in_flight,
            noticed_after=list(parsing.noticed.values()),
            faults=dict(parsing.faults + embedding.faults),
            lost_uploads=parsing.lost_uploads,
            failed_jobs=parsing.failed_jobs,
            extra_jobs=parsing.extra_jobs,
            extra_texts=embedding.extra_texts,
            queries=dict(embedding.queries),
        )


def _fault_plan(plan: LoadPlan, faults: Sequence[StrEnum], limited: StrEnum, *, seed: int) -> Plan:
    """Return a plan by which the faults share `fault_share` of all calls evenly, and `limited` has its own share."""
    share = plan.fault_share + plan.limited_share
    if not share:
        return Plan()
    times = round(len(faults) * plan.limited_share / plan.fault_share) if plan.fault_share else 1
    return Plan(faults=[*faults, *[limited] * times], share=share, seed=seed)


def _is_lost(operation: str, fault: ParseFault) -> bool:
    return operation == "uploads" and fault in PAID_BUT_UNKNOWN


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()[:12]


if __name__ == "__main__":
    main(LoadPlan(**json.loads(sys.argv[1])))
