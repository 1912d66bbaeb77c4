"""The repository's pages as tests read them: fenced blocks, and what they show of a shell."""

import re
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
RUNBOOKS = sorted((DOCS / "runbooks").glob("*.md"))
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
SHELL = ("sh", "shell")
"""Blocks of commands that are only parsed; those in `console` blocks are executed."""
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\S*).*?\n(?P<text>.*?)^ *```", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
EXIT_CODE = "echo $?"


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    heading: str
    """Below which it stands."""


@dataclass
class Step:
    """A command that a page shows at a prompt, with lines of what it prints; `…` stands for anything."""

    command: str
    output: list[str] = field(default_factory=list)
    code: int = 0


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text()
    return [
        Block(found["language"], _unindented(found), _heading_above(text, found.start()))
        for found in FENCE.finditer(text)
    ]


def without_blocks(page: Path) -> str:
    return FENCE.sub("", page.read_text())


def anchors_of(page: Path) -> set[str]:
    """As GitHub and the site make them: of two equal headings, the second gets a number, and nobody links to it."""
    return {anchor_of(heading) for heading in HEADING.findall(without_blocks(page))}


def anchor_of(heading: str) -> str:
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", text).strip().replace(" ", "-")


def steps_of(block: Block) -> list[Step]:
    steps: list[Step] = []
    for line in block.text.splitlines():
        if line == f"$ {EXIT_CODE}":
            steps.append(Step(EXIT_CODE))
        elif line.startswith("$ "):
            steps.append(Step(line.removeprefix("$ ")))
        elif steps and steps[-1].command.endswith("\\"):
            steps[-1].command += f"\n{line}"
        elif line.strip():
            steps[-1].output.append(line.strip())
    return _with_codes(steps)


def _with_codes(steps: list[Step]) -> list[Step]:
    for step, following in pairwise(steps):
        if following.command == EXIT_CODE:
            step.code = int(following.output[0])
    return [step for step in steps if step.command != EXIT_CODE]


def _unindented(found: re.Match[str]) -> str:
    return re.sub(rf"^{found['indent']}", "", found["text"], flags=re.MULTILINE)


def _heading_above(text: str, position: int) -> str:
    headings = HEADING.findall(FENCE.sub("", text[:position]))
    return headings[-1] if headings else ""
