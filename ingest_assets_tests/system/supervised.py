"""A running `ingest up`, its processes, and what it says of them."""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from ingest_assets_tests.system.ingest import INGEST, TIMEOUT, Ingest, Ui
from ingest_assets_tests.waiting import until

LAUNCHER = "ingest_assets.orchestration.warm_launcher"
GUARDIAN = "guardian.py"
PAGE = "ingest_assets.orchestration.page"


@dataclass
class Up:
    """`ingest up` in a process of its own, with its messages in a file."""

    process: subprocess.Popen[str]
    ui: Ui
    home: Path
    messages: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def said(self) -> str:
        return self.messages.read_text()

    def children(self, word: str) -> list[psutil.Process]:
        """Its direct children in whose command line `word` occurs."""
        return [each for each in psutil.Process(self.pid).children() if word in command(each)]

    def child(self, word: str) -> psutil.Process:
        return until(lambda: next(iter(self.children(word)), None))

    def replaced(self, word: str, killed: psutil.Process) -> psutil.Process:
        """The child that has taken the place of a killed one."""
        return until(lambda: next((each for each in self.children(word) if each.pid != killed.pid), None))

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=TIMEOUT)
        return self.process.returncode


def start(ingest: Ingest, messages: Path, port: int = 0) -> Up:
    """Start `ingest up`, as a shell's background job, and wait for the page."""
    with messages.open("w") as file:
        process = subprocess.Popen(
            [INGEST, "up", "--port", str(port), "--json"],
            env=ingest.environment,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
        )
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if line.strip() == "}":
            break
    assert lines, messages.read_text()
    return Up(process, Ui(json.loads("".join(lines))["ui"]), ingest.home, messages)


def command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def of_home(home: Path) -> list[psutil.Process]:
    """All processes that live with this home in their environment, or have its path in their command line."""
    found = []
    for process in psutil.process_iter():
        try:
            is_ours = process.environ().get("INGEST_HOME") == f"{home}/ingest" or str(home) in command(process)
            if is_ours and process.status() != psutil.STATUS_ZOMBIE and process.pid != os.getpid():
                found.append(process)
        except psutil.Error:
            continue
    return found


def is_true(holds: Callable[[], object]) -> bool:
    try:
        return bool(holds())
    except OSError:
        return False
