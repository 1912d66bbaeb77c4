"""Ctrl-C in the middle of a backlog."""

import signal
import subprocess
import time
from pathlib import Path

from ingest_assets.composition import Deployment
from ingest_assets.settings import Settings
from ingest_assets_tests.documents import policy_text
from ingest_assets_tests.system.ingest import INGEST, TIMEOUT, Ingest

DOCUMENTS = 200


def test_an_interrupted_drain_says_so_and_gives_back_what_it_has_not_finished(tmp_path: Path) -> None:
    ingest, folder = Ingest(tmp_path / "home"), tmp_path / "documents"
    folder.mkdir()
    for number in range(DOCUMENTS):
        (folder / f"{number}.md").write_text(policy_text(f"Subject {number}"))
    assert ingest("migrate").code == 0
    assert ingest("submit", folder, "--json").code == 0
    with subprocess.Popen([INGEST, "drain"], env=ingest.environment, stderr=subprocess.PIPE, text=True) as drain:
        wait_for_the_first_document(tmp_path / "home" / "ingest")
        drain.send_signal(signal.SIGINT)
        _, messages = drain.communicate(timeout=TIMEOUT)
    assert (drain.returncode, messages.strip()) == (130, "Stopped. Unfinished documents are queued again.")
    counts = ingest("status", "--json").json
    assert counts["searchable"] > 0
    assert counts["jobs"] == {"embedded/done": counts["searchable"], "queued/queued": DOCUMENTS - counts["searchable"]}


def wait_for_the_first_document(home: Path) -> None:
    deployment = Deployment(Settings(home=home))
    deadline = time.monotonic() + TIMEOUT
    try:
        while deployment.documents.counts()["searchable"] == 0:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        deployment.close()
