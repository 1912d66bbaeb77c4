"""What a run prints: each fault as it comes, a table of recoveries, what was found, and last one line of JSON."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ingest_assets_tests.faults.harness.checks.recovery import Recovery, summary


@dataclass
class Result:
    seed: int
    kills: int = 0
    documents: int = 0
    recoveries: list[Recovery] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    """Faults that found nothing to strike."""
    lost: list[str] = field(default_factory=list)
    partial: list[str] = field(default_factory=list)
    paid_twice: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    leftover_processes: list[str] = field(default_factory=list)
    orphan_objects: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Whatever else is not as it should be."""
    facts: dict[str, object] = field(default_factory=dict)

    def line(self) -> str:
        counts = {
            "kills": self.kills,
            "lost": len(self.lost),
            "partial": len(self.partial),
            "paid_twice": len(self.paid_twice),
            "stuck": len(self.stuck),
            "leftover_processes": len(self.leftover_processes),
            "orphan_objects": len(self.orphan_objects),
        }
        return json.dumps(counts)

    @property
    def is_clean(self) -> bool:
        return not any(json.loads(self.line())[name] for name in json.loads(self.line()) if name != "kills")


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def tell(result: Result) -> None:
    say("")
    say(f"{'fault':58} {'times':>5} {'median s':>9} {'worst s':>9}")
    for name, times, middle, worst in summary(result.recoveries):
        say(f"{name:58} {times:5} {_seconds(middle):>9} {_seconds(worst):>9}")
    for title in ("missed", "lost", "partial", "paid_twice", "stuck", "leftover_processes", "orphan_objects", "notes"):
        for finding in getattr(result, title):
            say(f"{title}: {finding}")
    for name, fact in result.facts.items():
        say(f"{name}: {fact}")
    say(f"seed: {result.seed}")
    say(result.line())


def write(result: Result, path: Path) -> None:
    """Write everything as JSON."""
    path.write_text(json.dumps(asdict(result) | {"line": json.loads(result.line())}, indent=2, default=str) + "\n")


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.1f}"


def counted(findings: Sequence[str]) -> list[str]:
    """Return each finding once, with how often it came."""
    return [
        f"{text} ({count} times)" if (count := findings.count(text)) > 1 else text for text in dict.fromkeys(findings)
    ]
