"""What runs on the hosts: the control plane, `ingest up`, and workers, `ingest worker`, with homes of their own."""

import json
import os
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest_assets_tests.cluster.network import Host
from ingest_assets_tests.system.ingest import INGEST, Ui
from ingest_assets_tests.waiting import until

START_SECONDS = 120
STOP_SECONDS = 60
"""More than a service manager should allow, since this machine may be busy."""


@dataclass
class Program(ABC):
    host: Host
    home: Path
    settings: Mapping[str, str]
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def output(self) -> Path:
        return self.home / "stdout"

    def start(self) -> None:
        """Return at once; `wait` waits until it is ready."""
        self.home.mkdir(parents=True, exist_ok=True)
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        own = {"HOME": str(self.home), "INGEST_HOME": str(self.home / "ingest")}
        with self.output.open("wb") as told, (self.home / "stderr").open("ab") as messages:
            self.process = subprocess.Popen(
                self.host.command(INGEST, *self.arguments()),
                env=kept | own | dict(self.settings),
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=messages,
                start_new_session=True,
                cwd="/",
            )

    def wait(self) -> None:
        until(lambda: self._is_announced() or self._has_ended(), START_SECONDS)
        if self._has_ended():
            messages = (self.home / "stderr").read_text(errors="replace")[-2000:]
            raise AssertionError(f"`ingest {self.arguments()[0]}` on {self.host.name} has ended: {messages}")

    def stop(self) -> None:
        """Ask it to end, as a service manager does, and return when it has."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """End all processes of its host."""
        self.host.kill()
        assert self.process is not None
        self.process.wait()

    def told(self) -> Any:
        try:
            return json.loads(self.output.read_text())
        except ValueError:
            return None

    def _is_announced(self) -> bool:
        return self.told() is not None

    def _has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    @abstractmethod
    def arguments(self) -> list[str]: ...


@dataclass
class ControlPlane(Program):
    def arguments(self) -> list[str]:
        return ["up", "--port", "0", "--json"]

    def query(self, text: str, **variables: Any) -> Any:
        """Ask Dagster's page, which only this host can reach."""
        ui = Ui(str(self.told()["ui"]))
        return self.host.inside(lambda: ui.query(text, **variables))


@dataclass
class Worker(Program):
    slots: int = 1

    def arguments(self) -> list[str]:
        return ["worker", "--slots", str(self.slots)]

    @property
    def name(self) -> str:
        """What runs are tagged with that it executes."""
        return str(self.told()["worker"])
