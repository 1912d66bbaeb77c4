"""`ingest up`, started again whenever it ends, as a service manager does."""

import json
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from ingest_assets_tests.system.ingest import INGEST, Ingest, Ui
from ingest_assets_tests.waiting import until

RESTART_SECONDS = 1
STOP_SECONDS = 90


@dataclass
class KeptUp:
    ingest: Ingest
    log: Path
    ended: list[tuple[float, int, int]] = field(default_factory=list)
    """When each `ingest up` ended, its process id, and its exit code."""
    ui: Ui | None = None
    """Known while it runs."""
    process: subprocess.Popen[str] | None = None
    _stopping: threading.Event = field(default_factory=threading.Event)
    _keeper: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        return None if self.process is None or self.process.returncode is not None else self.process.pid

    def start(self) -> None:
        """Return once it has announced itself."""
        self._keeper = threading.Thread(target=self._keep, name="service manager", daemon=True)
        self._keeper.start()
        until(lambda: self.ui)

    def stop(self) -> None:
        """Stop it as Ctrl-C does."""
        self._stopping.set()
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
        if self._keeper is not None:
            self._keeper.join()

    def _keep(self) -> None:
        while not self._stopping.is_set():
            with self.log.open("a") as messages:
                self.process = subprocess.Popen(
                    [INGEST, "up", "--port", "0", "--json"],
                    env=self.ingest.environment,
                    stdout=subprocess.PIPE,
                    stderr=messages,
                    text=True,
                )
            self._listen(self.process)
            code = self.process.wait()
            self.ended.append((time.time(), self.process.pid, code))
            self.ui = None
            self._stopping.wait(RESTART_SECONDS)

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        announcement = ""
        for line in process.stdout:
            announcement += line
            if line.startswith("}"):
                self.ui = Ui(json.loads(announcement)["ui"])
                return
