"""Ingest the example documents in a new deployment, through the real Dagster daemon, and search them.

.venv/bin/python examples/run_demo.py
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

INGEST = str(Path(sys.executable).parent / "ingest")
EXAMPLES = Path(__file__).parent
USER = "11111111-2222-4333-8444-555555555555"
QUESTION = "What is covered for emergency services?"


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="ingest-demo-") as home:
        os.environ |= {"INGEST_HOME": home, "INGEST_USER_ID": USER}
        os.environ.pop("INGEST_DATABASE_URL", None)
        with deployment() as ui:
            print(f"Dagster UI: {ui}\n\n$ ingest submit examples/documents --wait", flush=True)
            run("submit", str(EXAMPLES / "documents"), "--wait")
            print("\n$ ingest status", flush=True)
            run("status")
            print(f'\n$ ingest search "{QUESTION}" --limit 3\n', flush=True)
            run("search", QUESTION, "--limit", "3")
    print("Done; the demo removed what it made. To start with your own documents: make dev")
    return 0


@contextmanager
def deployment() -> Iterator[str]:
    """Yield the address of the UI while everything runs."""
    with subprocess.Popen([INGEST, "up", "--port", "0", "--json"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            announcement = ""
            for line in process.stdout:
                announcement += line
                if line.startswith("}"):
                    break
            if not announcement:
                raise SystemExit("the deployment did not start; see the message above")
            yield json.loads(announcement)["ui"]
        finally:
            process.send_signal(signal.SIGINT)


def run(*arguments: str) -> None:
    subprocess.run([INGEST, *arguments], check=True)


if __name__ == "__main__":
    sys.exit(main())
