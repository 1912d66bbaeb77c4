"""A new release takes over from the one before, and gives back to it, while requests come in all the time."""

import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest

from ingest_assets_tests.http.api import SECRET
from ingest_assets_tests.system.former_release import former_release
from ingest_assets_tests.system.ingest import Ingest
from ingest_assets_tests.waiting import until

SECONDS = 180
PAUSE_SECONDS = 0.5


@dataclass
class Running:
    """A command that runs until it is told to end."""

    process: subprocess.Popen[str]
    announced: dict[str, Any]

    def end(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=SECONDS)


@dataclass
class Release:
    """One release's commands, on the home that all releases share."""

    python: Path
    environment: dict[str, str]
    started: list[Running] = field(default_factory=list)

    def __call__(self, *arguments: str) -> Any:
        """Return what the command prints."""
        with self._begun(*arguments) as process:
            told, _ = process.communicate(timeout=SECONDS)
        assert process.returncode == 0
        return json.loads(told)

    def start(self, command: str) -> Running:
        process = self._begun(command, "--port", "0")
        assert process.stdout is not None
        announced = ""
        for line in process.stdout:
            announced += line
            if line.startswith("}"):
                break
        running = Running(process, json.loads(announced))
        self.started.append(running)
        return running

    def _begun(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin a command in a folder that holds no package, since Python prefers what is there."""
        command = [str(self.python), "-m", "ingest_assets.cli", *arguments, "--json"]
        home = self.environment["HOME"]
        return subprocess.Popen(command, env=self.environment, cwd=home, stdout=subprocess.PIPE, text=True)


@dataclass
class Application:
    """Submits and searches all the time, at the address that it is given."""

    url: str
    user: str = field(default_factory=lambda: str(uuid4()))
    accepted: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    searches: int = 0

    def goes_to(self, url: str) -> None:
        """Send what follows to another address, and wait until something was answered there."""
        self.url, searches = url, self.searches
        until(lambda: self.searches > searches + 1)

    def awaits(self, number_more: int = 2) -> None:
        """Wait until a few documents are searchable that are taken in from now on, and a search has found some."""
        begin, searches = len(self.accepted), self.searches
        until(
            lambda: self.searches > searches and self._are_searchable(self.accepted[begin:][:number_more], number_more)
        )

    def work(self, stop: threading.Event) -> None:
        while not stop.wait(PAUSE_SECONDS):
            number = len(self.accepted)
            text = f"# Policy {number}\n\nClause {number}: the walrus of household {number} is covered.\n"
            try:
                document = self._ask(f"documents?filename={number}.md", text.encode())
                self.accepted.append(document["document_id"])
                self._ask("search", json.dumps({"query": "walrus"}).encode(), "application/json")
                self.searches += 1
            except Exception as error:  # whatever it is, it is told at the end
                self.failures.append(f"{error!r} at {self.url}")

    def unsearchable(self) -> list[str]:
        return [document_id for document_id in self.accepted if not self._are_searchable([document_id], 1)]

    def _are_searchable(self, document_ids: list[str], number: int) -> bool:
        found = [self._ask(f"documents/{document_id}")["searchable"] for document_id in document_ids]
        return len(found) == number and all(found)

    def _ask(self, path: str, body: bytes | None = None, content_type: str = "application/octet-stream") -> Any:
        token = jwt.encode({"sub": self.user, "aud": "authenticated", "exp": time.time() + 3600}, SECRET)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": content_type}
        request = urllib.request.Request(f"{self.url}/v1/{path}", body, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


@contextmanager
def at_work(url: str) -> Iterator[Application]:
    application, stop = Application(url), threading.Event()
    working = threading.Thread(target=application.work, args=(stop,), name="application")
    working.start()
    try:
        yield application
    finally:
        stop.set()
        working.join()


@pytest.fixture
def releases(tmp_path: Path) -> Iterator[tuple[Release, Release]]:
    """The one before and this one."""
    python = former_release(tmp_path)
    if python is None:
        pytest.skip("the repository's history is not here: no release takes over from the one before")
    settings = {
        "INGEST_JWT_SECRET": SECRET,
        "INGEST_FEW_JOBS": "0",
        "INGEST_DRAIN_IDLE_SECONDS": "1",
        "INGEST_REQUESTS_PER_MINUTE": "100000",
    }
    home = Ingest(tmp_path, tuple(settings.items()))
    both = Release(python, home.environment), Release(Path(sys.executable), home.environment)
    try:
        yield both
    finally:
        for running in [running for release in both for running in release.started]:
            running.end()


@pytest.mark.timeout(600)
def test_a_release_takes_over_and_gives_back_without_a_request_that_fails(releases: tuple[Release, Release]) -> None:
    before, after = releases
    before("migrate")
    serving, working = before.start("serve"), before.start("up")
    with at_work(serving.announced["url"]) as application:
        application.awaits()
        migrated = after("migrate", "--needed")
        assert migrated["applied"]
        left = migrated["waiting"]
        application.awaits()  # the code before, on the schema of this release

        newer_serving = after.start("serve")
        application.goes_to(newer_serving.announced["url"])
        serving.end()
        working.end()
        newer_working = after.start("up")
        application.awaits()

        serving = before.start("serve")  # roll back
        application.goes_to(serving.announced["url"])
        newer_serving.end()
        newer_working.end()
        working = before.start("up")
        application.awaits()

        newer_serving = after.start("serve")  # and forward again, for good
        application.goes_to(newer_serving.announced["url"])
        serving.end()
        working.end()
        after.start("up")
        assert after("migrate")["applied"] == left
        application.awaits()
    until(lambda: not application.unsearchable())
    assert application.failures == []
