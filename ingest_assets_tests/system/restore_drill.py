"""Back up a deployment that is at work, restore the backup in an empty home, let it finish there, and compare.

The last line is `{"documents": …, "lost": …}`: how many documents had been submitted when the backup began, and how
many of them are not in the restored deployment as they are in the first one. Whatever else is wrong is told, and the
exit code is 1.
"""

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.settings import LOCAL_USER, Settings
from ingest_assets_tests.documents import policy_text
from ingest_assets_tests.system.ingest import INGEST, TIMEOUT, Ingest

BATCH = 5
"""So many documents come in at a time during the backup."""
PARAGRAPHS = 60
"""So long is each document, for the drain to last until the backup is made."""
QUERIES = ("What does the insurer pay?", "deductible of group 3", "Subject 7", "clause 5 of subject 11")
Tell = Callable[[str], None]


@dataclass
class Drill:
    """What was done, and what was found."""

    documents: set[str]
    in_work: int
    """How many documents workers held at the moment of the backup."""
    unfinished: int
    """How many documents were not searchable yet."""
    lost: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)


def run(folder: Path, count: int, tell: Tell) -> Drill:
    first, second = Ingest(folder / "first"), Ingest(folder / "second")
    backups = folder / "backups"
    for each in (first, second):
        each.home.mkdir()
    done(first("migrate"))
    submitted = submit(first, folder / "documents", range(count))
    tell(f"Submitted {count} documents; a drain begins.")
    with draining(first):
        wait_for_searchable(first, min(3, count))
        tell("Backing up while it works and more documents come in.")
        with backing_up(first, backups) as ended:
            late = count
            while not ended():
                submit(first, folder / "late", range(late, late + BATCH))
                late += BATCH
    done(first("drain"))
    tell("Restoring into an empty home.")
    restored = done(second("restore", backups, "--json"))
    drill = Drill(submitted, restored["requeued"], unfinished_in(second))
    done(second("drain"))
    compare(first, second, drill)
    return drill


def submit(ingest: Ingest, folder: Path, numbers: range) -> set[str]:
    """Submit documents with these numbers, and return their ids."""
    folder.mkdir(exist_ok=True)
    for number in numbers:
        (folder / f"{number}.md").write_text(policy_text(f"Subject {number}", PARAGRAPHS))
    return {each["document_id"] for each in done(ingest("submit", folder, "--json"))}


@contextmanager
def draining(ingest: Ingest) -> Iterator[None]:
    """Two drain runs during the block, which then ends them."""
    command = [str(INGEST), "drain", "--workers", "2"]
    with subprocess.Popen(
        command, env=ingest.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as drain:
        try:
            yield
        finally:
            drain.send_signal(signal.SIGINT)
            drain.wait(TIMEOUT)


@contextmanager
def backing_up(ingest: Ingest, folder: Path) -> Iterator[Callable[[], bool]]:
    """A backup during the block; yields whether it has ended."""
    command = [str(INGEST), "backup", str(folder), "--json"]
    with subprocess.Popen(command, env=ingest.environment, stdout=subprocess.PIPE, text=True) as backup:
        yield lambda: backup.poll() is not None
        assert backup.wait(TIMEOUT) == 0


def wait_for_searchable(ingest: Ingest, count: int) -> None:
    deadline = time.monotonic() + TIMEOUT
    with deployment_of(ingest) as deployment:
        while deployment.documents.counts()["searchable"] < count:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def unfinished_in(ingest: Ingest) -> int:
    counts = done(ingest("status", "--json"))
    return int(counts["documents"] - counts["searchable"])


def compare(first: Ingest, second: Ingest, drill: Drill) -> None:
    """Compare what both deployments know of the documents that were in the backup."""
    with deployment_of(first) as old, deployment_of(second) as new:
        before, after = content_of(old), content_of(new)
        drill.lost = {each for each in drill.documents if each not in after or after[each] != before.get(each)}
        changed = {each for each in after if after[each] != before.get(each)} - drill.lost
        if changed:
            drill.problems.append(f"{len(changed)} documents that came in during the backup differ")
        for query in QUERIES:
            if passages(old, query, set(after)) != passages(new, query, set(after)):
                drill.problems.append(f"the search {query!r} finds something else")
    checked = second("doctor", "--deep", "--json")
    drill.problems += [each["check"] for each in checked.json if not each["ok"]]


def content_of(deployment: Deployment) -> dict[str, list[tuple[Any, ...]]]:
    """Every searchable document with its chunks and their vectors' hashes."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    with deployment.database.connection() as connection:
        rows = connection.execute(
            "SELECT document_id, chunk_ord, chunk_id, text, md5(embedding::text) AS vector "
            "FROM upload_pipeline.document_chunks ORDER BY document_id, chunk_ord"
        )
        for row in rows:
            found.setdefault(str(row["document_id"]), []).append(tuple(row.values()))
    return found


def passages(deployment: Deployment, query: str, among: set[str]) -> list[str]:
    """The texts that a search finds in these documents, best first."""
    hits = deployment.search.passages(UserId(LOCAL_USER), query, 10_000)
    return sorted(hit.text for hit in hits if str(hit.document_id) in among)


@contextmanager
def deployment_of(ingest: Ingest) -> Iterator[Deployment]:
    deployment = Deployment(Settings(home=ingest.home / "ingest"))
    try:
        yield deployment
    finally:
        deployment.close()


def done(ran: Any) -> Any:
    """What a command prints, which must succeed."""
    assert ran.code == 0, ran.stderr
    return json.loads(ran.stdout) if ran.stdout.lstrip().startswith(("{", "[")) else ran.stdout


def tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--documents", type=int, default=200)
    count = arguments.parse_args().documents
    folder = Path(tempfile.mkdtemp(prefix="restore-drill-"))
    try:
        drill = run(folder, count, tell)
    finally:
        shutil.rmtree(folder)
    sys.stdout.write(
        f"{drill.unfinished} documents were unfinished in the backup, {drill.in_work} of them in work.\n"
        + "".join(f"{problem}\n" for problem in drill.problems)
        + json.dumps({"documents": len(drill.documents), "lost": len(drill.lost)})
        + "\n"
    )
    sys.exit(1 if drill.lost or drill.problems else 0)


if __name__ == "__main__":
    main()
