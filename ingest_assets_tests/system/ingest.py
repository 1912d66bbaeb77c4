"""The `ingest` command as a user runs it: in processes of its own, on the embedded database."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

INGEST = Path(sys.executable).parent / "ingest"
TIMEOUT = 240


@dataclass(frozen=True)
class Ran:
    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)

    @property
    def error(self) -> dict[str, str]:
        return dict(json.loads(self.stderr.strip().splitlines()[-1]))


@dataclass(frozen=True)
class Ingest:
    """One home, and commands on it."""

    home: Path
    extra: tuple[tuple[str, str], ...] = ()

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        return kept | {"HOME": str(self.home), "INGEST_HOME": str(self.home / "ingest"), **dict(self.extra)}

    def __call__(self, *arguments: str | Path) -> Ran:
        ran = subprocess.run(
            [INGEST, *map(str, arguments)],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert "Traceback" not in ran.stderr, ran.stderr
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    @contextmanager
    def up(self) -> Iterator["Ui"]:
        """`ingest up` while the block runs, ended by the signal that Ctrl-C sends.

        It starts as a shell's background job does, with that signal ignored.
        """
        process = subprocess.Popen(
            ["/bin/sh", "-c", 'trap "" INT; exec "$@"', "sh", INGEST, "up", "--port", "0", "--json"],
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line)
            if line.strip() == "}":
                break
        try:
            yield Ui(json.loads("".join(lines))["ui"])
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=TIMEOUT)


@dataclass(frozen=True)
class Ui:
    """Dagster's GraphQL API, asked as its page asks."""

    url: str
    password: str = ""

    def query(self, text: str, **variables: Any) -> Any:
        body = json.dumps({"query": text, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", data=body, headers=self._headers)
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            answered = json.loads(answer.read())
        assert "errors" not in answered, answered
        return answered["data"]

    @property
    def _headers(self) -> dict[str, str]:
        login = b64encode(f":{self.password}".encode()).decode()
        return {"Content-Type": "application/json", "Authorization": f"Basic {login}"}
