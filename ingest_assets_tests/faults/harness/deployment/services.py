"""The emulated services with their books: who was charged for what, and when. They can be slow, silent and wrong."""

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from ingest_assets_tests.emulators import llamaparse, openai
from ingest_assets_tests.emulators.llamaparse import LlamaParseEmulator, RemoteJob
from ingest_assets_tests.emulators.openai import OpenAIEmulator, Order, Refusal
from ingest_assets_tests.emulators.server import Emulator, Plan, Reply, Request
from ingest_assets_tests.faults.harness.documents.poison import REFUSED_WORD

EMBED_SECONDS = 0.4
"""Long enough for a fault to meet a call under way."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What was paid for once."""

    key: str
    begun: float
    """When the request came, in seconds since 1970."""
    ended: float
    """When it was answered."""
    reference: str = ""
    """What the service calls it, as the ledger does too."""


@dataclass(slots=True)
class Pace:
    seconds: float = 0.0
    """How long each answer takes."""
    arrivals: threading.local = field(default_factory=threading.local)

    def begin(self) -> None:
        self.arrivals.at = time.time()

    def charge(self, key: str, reference: str) -> Charge:
        return Charge(key, self.arrivals.at, time.time() + self.seconds, reference)


class BookedOpenAI(OpenAIEmulator):
    def __init__(self) -> None:
        super().__init__()
        self.pace = Pace(EMBED_SECONDS)
        self.charges: list[Charge] = []
        self.refuses = True
        """Whether it refuses the poisoned texts."""

    def answer(self, request: Request) -> Reply:
        self.pace.begin()
        reply = super().answer(request)
        time.sleep(self.pace.seconds)
        return reply

    def _headers(self) -> dict[str, str]:
        headers = super()._headers()
        self.pace.arrivals.reference = headers["x-request-id"]
        return headers

    def _order(self, request: Request) -> Order:
        order = super()._order(request)
        if self.refuses and any(REFUSED_WORD in text for text in order.texts):
            raise Refusal(400, "The input is not acceptable.")
        return order

    def _charge(self, order: Order, *, spoiled: bool) -> None:
        super()._charge(order, spoiled=spoiled)
        if not spoiled:
            with self.lock:
                self.charges += [self.pace.charge(text, self.pace.arrivals.reference) for text in order.texts]


class BookedLlamaParse(LlamaParseEmulator):
    def __init__(self) -> None:
        super().__init__()
        self.pace = Pace()
        self.charges: list[Charge] = []

    def answer(self, request: Request) -> Reply:
        self.pace.begin()
        reply = super().answer(request)
        time.sleep(self.pace.seconds)
        return reply

    def _job(self, fields: dict[str, str], filename: str, content: bytes) -> RemoteJob:
        job = super()._job(fields, filename, content)
        if job.error_code is None:
            with self.lock:
                self.charges.append(self.pace.charge(hashlib.sha256(content).hexdigest(), job.job_id))
        return job


@dataclass(frozen=True, slots=True)
class Services:
    embedding: BookedOpenAI
    parsing: BookedLlamaParse

    @property
    def environment(self) -> dict[str, str]:
        """Points a deployment at them."""
        return {
            "LLAMA_CLOUD_API_KEY": llamaparse.KEY,
            "LLAMA_CLOUD_BASE_URL": self.parsing.url,
            "INGEST_LLAMAPARSE_DO_NOT_CACHE": "true",
            "OPENAI_API_KEY": openai.KEY,
            "OPENAI_BASE_URL": self.embedding.base_url,
        }

    @property
    def charges(self) -> list[Charge]:
        return [*self.embedding.charges, *self.parsing.charges]


@contextmanager
def serving() -> Iterator[Services]:
    with ExitStack() as stack:
        yield Services(stack.enter_context(BookedOpenAI()), stack.enter_context(BookedLlamaParse()))


@contextmanager
def failing(service: Emulator, fault: StrEnum, *, share: float = 1.0, seed: int = 0) -> Iterator[None]:
    """Let the service fail in this way during the block."""
    before, service.plan = service.plan, Plan(faults=[fault], share=share, seed=seed)
    try:
        yield
    finally:
        service.plan = before


@contextmanager
def slowed(pace: Pace, seconds: float) -> Iterator[None]:
    before, pace.seconds = pace.seconds, seconds
    try:
        yield
    finally:
        pace.seconds = before
