"""A shell that runs what a page shows, and compares what it prints."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from ingest_assets_tests.docs.pages import Step

MARK = "that was the command"


@dataclass(frozen=True)
class Ran:
    code: int
    output: str


class Shell:
    """One bash, so that variables which a page sets stay set."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self._process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def run(self, command: str) -> Ran:
        """Run a command without input, and return its exit code and what it printed, errors included."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f'{{ {command}\n}} </dev/null\nprintf "\\n{MARK} %s\\n" "$?"\n')
        process.stdin.flush()
        lines: list[str] = []
        for line in process.stdout:
            if line.startswith(MARK):
                return Ran(int(line.removeprefix(MARK)), "".join(lines))
            lines.append(line)
        raise AssertionError(f"The shell ended: {''.join(lines)}")


def check(step: Step, ran: Ran) -> None:
    """Compare what happened with what the page says: the exit code, and lines in their order."""
    told = f"$ {step.command}\n{ran.output}"
    assert ran.code == step.code, told
    rest = iter(ran.output.splitlines())
    for line in step.output:
        assert any(_is_like(line, each.strip()) for each in rest), f"{line!r} is not in:\n{told}"


def _is_like(shown: str, printed: str) -> bool:
    """Whether a line is as the page shows it; columns may be wider."""
    words = [r"\s+".join(map(re.escape, part.split())) for part in shown.split("…")]
    return re.fullmatch(r"\s*.*?\s*".join(words), printed) is not None
