"""The `ingest` command within the test's own process, which saves the second that a new one takes to start."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ingest_assets.cli.app import app


class Here:
    """Commands on a deployment of the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, database_url: str, home: Path, user: object) -> None:
        self._set = monkeypatch.setenv
        for name, value in (("DATABASE_URL", database_url), ("HOME", home), ("USER_ID", user)):
            self._set(f"INGEST_{name}", str(value))

    def __call__(self, *arguments: object) -> Any:
        """What the command prints with --json; the command must succeed."""
        ran = CliRunner().invoke(app, [*map(str, arguments), "--json"])
        assert ran.exit_code == 0, ran.output
        return json.loads(ran.stdout)

    def run(self, command_line: str) -> Any:
        """Run a line that a person would copy."""
        name, *arguments = shlex.split(command_line)
        assert name == "ingest"
        return self(*arguments)

    def read(self, *arguments: object) -> str:
        """What people read."""
        ran = CliRunner().invoke(app, [*map(str, arguments)])
        return str(ran.output)
