"""Figures of repeated measurements, and the file that keeps them."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

Figures = dict[str, float]

LATEST = Path(__file__).parent / "results" / "latest.json"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement's figures, with what says how far to trust them."""

    figures: Figures
    """Medians of the repetitions."""
    spread: dict[str, tuple[float, float]]
    """The least and the greatest of the repetitions."""
    repetitions: int
    """Of each figure, at the most."""
    seconds: float
    load_before: float
    """The load average of the last minute."""
    load_after: float
    sizes: dict[str, Any]


def medians(runs: Sequence[Figures]) -> tuple[Figures, dict[str, tuple[float, float]]]:
    """Each figure's median over the runs that have it, and its least and greatest."""
    names = list(dict.fromkeys(name for run in runs for name in run))
    values = {name: [run[name] for run in runs if name in run] for name in names}
    return (
        {name: round(median(found), 4) for name, found in values.items()},
        {name: (round(min(found), 4), round(max(found), 4)) for name, found in values.items()},
    )


def stored_results(path: Path) -> dict[str, Any]:
    empty: dict[str, Any] = {"machine": {}, "figures": {}, "spread": {}, "measurements": {}}
    return empty | json.loads(path.read_text()) if path.exists() else empty


def store(name: str, measured: Measurement, path: Path) -> None:
    """Merges the figures into the results of earlier runs; what this measurement gave before is forgotten."""
    results, entry = stored_results(path), asdict(measured)
    figures, spread = entry.pop("figures"), entry.pop("spread")
    for old in results["measurements"].get(name, {}).get("names", []):
        results["figures"].pop(old, None)
        results["spread"].pop(old, None)
    results["machine"] = machine()
    results["figures"] |= figures
    results["spread"] |= spread
    results["measurements"][name] = entry | {"names": list(figures)}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n")


def machine() -> dict[str, Any]:
    return {
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "processor": _processor(),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.processor())
