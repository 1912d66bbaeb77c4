"""`ingest watch` as a user runs it: what it survives, and how it ends."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from ingest_assets_tests.documents import policy_text
from ingest_assets_tests.moto import NotifyingBucket, moto, needs_moto
from ingest_assets_tests.system.ingest import INGEST, TIMEOUT, Ingest
from ingest_assets_tests.waiting import until

MEANWHILE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"


@dataclass
class Watching:
    process: subprocess.Popen[str]
    out: Path
    err: Path

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def statuses(self, name: str) -> list[str]:
        return [each["status"] for each in self.lines() if each.get("path", "").endswith(name)]

    def troubles(self) -> list[str]:
        return [json.loads(line)["code"] for line in self.err.read_text().splitlines()]

    def until_told(self, name: str, status: str) -> None:
        until(lambda: status in self.statuses(name))

    def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        return self.process.wait(TIMEOUT)


@pytest.fixture
def ingest(database_url: str, tmp_path: Path) -> Ingest:
    (tmp_path / "home").mkdir()
    return Ingest(tmp_path / "home", (("INGEST_DATABASE_URL", database_url), ("INGEST_USER_ID", str(uuid4()))))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


@contextmanager
def watching(ingest: Ingest, *arguments: object) -> Iterator[Watching]:
    """A watch that has taken in what was there already."""
    out, err = (ingest.home / f"{uuid4()}.{name}" for name in ("out", "err"))
    with out.open("w") as stdout, err.open("w") as stderr:
        process = subprocess.Popen(
            [INGEST, "watch", *map(str, arguments), "--json"],
            env=ingest.environment,
            stdout=stdout,
            stderr=stderr,
            text=True,
        )
    watch = Watching(process, out, err)
    try:
        until(lambda: process.poll() is not None or any("watching" in each for each in watch.lines()))
        yield watch
    finally:
        process.kill()
        process.wait()


def count(database_url: str) -> int:
    with psycopg.connect(database_url) as connection:
        [[found]] = connection.execute("SELECT count(*) FROM upload_pipeline.documents").fetchall()
        return int(found)


@contextmanager
def database_away(database_url: str) -> Iterator[None]:
    """Nobody can connect to the database during the block."""
    name = psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]
    with psycopg.connect(database_url, dbname="postgres", autocommit=True) as connection:
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        connection.execute(allow.format(sql.Identifier(str(name)), sql.SQL("false")))
        try:
            connection.execute(MEANWHILE, [name])
            yield
        finally:
            connection.execute(allow.format(sql.Identifier(str(name)), sql.SQL("true")))


def test_a_watch_that_is_killed_and_started_again_loses_nothing_and_doubles_nothing(
    ingest: Ingest, folder: Path, database_url: str
) -> None:
    (folder / "a.md").write_text(policy_text("A"))
    with watching(ingest, folder, "--settle", "0.2") as watch:
        assert watch.statuses("a.md") == ["queued"]
        (folder / "b.md").write_text(policy_text("B"))
        watch.until_told("b.md", "queued")
        assert watch.end(signal.SIGKILL) == -signal.SIGKILL
    (folder / "c.md").write_text(policy_text("C"))
    with watching(ingest, folder, "--settle", "0.2") as watch:
        watch.until_told("c.md", "queued")
        assert watch.statuses("a.md") == watch.statuses("b.md") == []
        assert watch.end(signal.SIGTERM) == 0
        assert watch.err.read_text() == ""
    assert count(database_url) == 3


def test_an_outage_of_the_database_is_told_once_and_outlasted(ingest: Ingest, folder: Path, database_url: str) -> None:
    with watching(ingest, folder, "--settle", "0.2") as watch:
        with database_away(database_url):
            (folder / "a.md").write_text(policy_text("A"))
            until(watch.troubles)
            (folder / "b.md").write_text(policy_text("B"))
        for name in ("a.md", "b.md"):
            watch.until_told(name, "queued")
        assert watch.troubles() in (["database_refused"], ["database_unreachable"])
        assert watch.end(signal.SIGINT) == 0


def test_what_cannot_be_watched_is_wrong_usage_or_missing(ingest: Ingest, folder: Path) -> None:
    (folder / "a.md").write_text("text")
    for source, code, exit_code in ((folder / "a.md", "wrong_usage", 2), (folder / "b", "path_missing", 1)):
        ran = ingest("watch", source, "--json")
        assert (ran.code, ran.error["code"]) == (exit_code, code)


def test_without_its_library_a_watch_says_which_extra_it_needs(ingest: Ingest, folder: Path) -> None:
    without = "import sys; sys.modules['watchfiles'] = None; from ingest_assets.cli import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", without, "watch", folder, "--json"],
        env=ingest.environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert json.loads(ran.stderr)["code"] == "extra_missing"
    assert "ingest-assets[watch]" in ran.stderr


@needs_moto
def test_a_watch_of_a_queue_that_is_killed_loses_nothing_and_doubles_nothing(ingest: Ingest, database_url: str) -> None:
    with moto() as server:
        bucket = NotifyingBucket(server, receives=100)
        source = f"sqs://{bucket.name}"
        with_login = Ingest(ingest.home, (*ingest.extra, *server.environment.items()))
        with watching(with_login, source) as watch:
            for name in ("a.md", "b.md"):
                bucket.put(name, policy_text(name))
            watch.until_told("a.md", "queued")
            assert watch.end(signal.SIGKILL) == -signal.SIGKILL
        bucket.put("c.md", policy_text("c.md"))
        with watching(with_login, source) as watch:
            until(lambda: bucket.waiting() == 0)
            assert watch.statuses("c.md") == ["queued"]
            assert watch.end(signal.SIGTERM) == 0
            assert watch.err.read_text() == ""
        assert count(database_url) == 3
