"""Workers are killed while they pay: what providers have charged lies between what is certain and what is uncertain."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.spending.costs import ProviderCosts
from ingest_assets.settings import Settings
from ingest_assets_tests.documents import policy_text, submit
from ingest_assets_tests.emulators.llamaparse import KEY as LLAMA_KEY
from ingest_assets_tests.emulators.llamaparse import LlamaParseEmulator
from ingest_assets_tests.emulators.openai import KEY as OPENAI_KEY
from ingest_assets_tests.emulators.openai import OpenAIEmulator
from ingest_assets_tests.emulators.server import Emulator, Reply, Request

TIMEOUT = 120


class Holding:
    """Keeps back its answers to one operation, once it has done what was asked and charged for it."""

    def __init__(self, operation: str) -> None:
        self.operation = operation
        self.holds = Event()
        """Whether answers are kept back at all."""
        self.held = Event()
        """Set when one is."""
        self.goes_on = Event()

    def pass_on(self, operation: str, reply: Reply) -> Reply:
        if self.holds.is_set() and operation == self.operation:
            self.held.set()
            assert self.goes_on.wait(TIMEOUT)
        return reply


class HoldingOpenAI(OpenAIEmulator):
    def __init__(self) -> None:
        super().__init__()
        self.holding = Holding("POST")

    def answer(self, request: Request) -> Reply:
        return self.holding.pass_on(request.method, super().answer(request))


class HoldingLlamaParse(LlamaParseEmulator):
    def __init__(self, operation: str) -> None:
        super().__init__()
        self.holding = Holding(operation)

    def answer(self, request: Request) -> Reply:
        operation = "uploads" if request.method == "POST" else "polls"
        return self.holding.pass_on(operation, super().answer(request))


@dataclass(frozen=True)
class Workplace:
    """Where workers run, each in a process of its own."""

    deployment: Deployment
    environment: dict[str, str]

    def start(self, claim: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "ingest_assets_tests.faults.paying_worker", claim]
        return subprocess.Popen(command, env=self.environment)

    def work_off(self) -> None:
        """Let others do what is left, as they may once the lease of the dead has expired."""
        self.deployment.claims.release("victim")
        with self.start("another") as worker:
            assert worker.wait(TIMEOUT) == 0

    def kill_while(self, holding: Holding) -> None:
        """Start a worker, and kill it when the provider has charged for a call that it has not answered."""
        holding.holds.set()
        with self.start("victim") as victim:
            assert holding.held.wait(TIMEOUT)
            victim.kill()
        holding.holds.clear()
        holding.goes_on.set()

    def costs_of(self, provider: str) -> ProviderCosts:
        [costs] = [each for each in self.deployment.ledger.costs() if each.provider == provider]
        return costs


@pytest.fixture
def workplace(deployment: Deployment, settings: Settings, database_url: str) -> Workplace:
    passed_on = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    settings_of_this_test = {
        "INGEST_HOME": str(settings.home),
        "INGEST_DATABASE_URL": database_url,
        "INGEST_PARSER_FALLBACK": "false",
    }
    return Workplace(deployment, passed_on | settings_of_this_test)


@contextmanager
def serving(emulator: Emulator, workplace: Workplace) -> Iterator[None]:
    with emulator:
        if isinstance(emulator, OpenAIEmulator):
            told = {"OPENAI_API_KEY": OPENAI_KEY, "OPENAI_BASE_URL": emulator.base_url}
        else:
            told = {"LLAMA_CLOUD_API_KEY": LLAMA_KEY, "LLAMA_CLOUD_BASE_URL": emulator.url}
        workplace.environment.update(told)
        yield


def fill(deployment: Deployment, user: UserId, suffix: str, documents: int = 6) -> None:
    for number in range(documents):
        submit(deployment, user, policy_text(f"Subject {number}", 3), f"{number}{suffix}")


def test_what_a_killed_worker_was_charged_for_texts_is_uncertain_and_bounded(
    workplace: Workplace, deployment: Deployment, user: UserId
) -> None:
    openai = HoldingOpenAI()
    fill(deployment, user, ".md")
    with serving(openai, workplace):
        workplace.kill_while(openai.holding)
        costs = workplace.costs_of("openai")
        assert costs.tokens < openai.tokens <= costs.tokens + costs.uncertain.tokens
        assert costs.uncertain.micro_usd > 0
        workplace.work_off()
    costs = workplace.costs_of("openai")
    assert deployment.documents.counts()["searchable"] == 6
    assert costs.tokens < openai.tokens <= costs.tokens + costs.uncertain.tokens
    # The victim had also begun calls that had not left it yet.
    assert costs.calls < len(openai.requests) <= costs.calls + costs.uncertain.calls


def test_what_a_killed_worker_was_charged_for_pages_is_settled_by_whoever_fetches_them(
    workplace: Workplace, deployment: Deployment, user: UserId
) -> None:
    llama = HoldingLlamaParse("polls")
    fill(deployment, user, ".html", documents=1)
    with serving(llama, workplace):
        workplace.kill_while(llama.holding)
        assert workplace.costs_of("llamaparse").uncertain.calls == 1
        workplace.work_off()
    costs = workplace.costs_of("llamaparse")
    assert llama.counts["uploads"] == 1
    assert (costs.calls, costs.pages, costs.credits) == (1, llama.counts["pages"], llama.counts["credits"])
    assert costs.uncertain.calls == 0


def test_an_upload_whose_answer_a_killed_worker_did_not_hear_stays_uncertain(
    workplace: Workplace, deployment: Deployment, user: UserId
) -> None:
    llama = HoldingLlamaParse("uploads")
    fill(deployment, user, ".html", documents=1)
    with serving(llama, workplace):
        workplace.kill_while(llama.holding)
        workplace.work_off()
        for job_id in list(llama.jobs):  # the provider also ends the job that nobody asks for
            llama.finish(job_id)
    costs = workplace.costs_of("llamaparse")
    assert costs.pages <= llama.counts["pages"] <= costs.pages + costs.uncertain.pages
    assert costs.credits <= llama.counts["credits"] <= costs.credits + costs.uncertain.credits
    assert (costs.calls, costs.uncertain.calls) == (1, 1)
