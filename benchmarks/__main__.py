"""Measures fresh deployments on the embedded database; results/latest.json keeps the figures, a table shows them.

.venv/bin/python -m benchmarks [MEASUREMENT…] [--tiny] [--repetitions N] …
"""

import os
import sys
import time
import traceback
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from benchmarks.deployments import forget_this_machine
from benchmarks.figures import LATEST, Figures, Measurement, medians, store, stored_results
from benchmarks.report import table
from benchmarks.sizes import Sizes, add_sizes, sizes_of
from ingest_assets.posix.signals import stop_on_signals

MEASUREMENTS = (
    *("backlog", "naive", "unchanged", "edits", "latency", "backfill"),
    *("rows", "search", "large_pdf", "recognition", "cost", "http_intake", "providers"),
)
"""Each a module with `measure`, which gives the figures of each repetition."""


def main() -> int:
    parser = ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="MEASUREMENT", help=f"some of: {', '.join(MEASUREMENTS)}")
    add_sizes(parser)
    arguments = vars(parser.parse_args())
    names = arguments["names"] or list(MEASUREMENTS)
    if unknown := set(names) - set(MEASUREMENTS):
        parser.error(f"there is no measurement {', '.join(sorted(unknown))}")
    forget_this_machine()
    stop_on_signals()  # which ends what was started
    results = LATEST.with_name("tiny.json") if arguments["tiny"] else LATEST
    failed = [name for name in names if not _run(name, sizes_of(arguments), results)]
    print("\n" + table(stored_results(results)))
    if failed:
        print(f"Not measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _run(name: str, sizes: Sizes, results: Path) -> bool:
    """Whether it could be measured; one that fails leaves the others their chance."""
    measure: Callable[[Sizes], Iterator[Figures]] = import_module(f"benchmarks.{name}").measure
    print(f"{name} …", flush=True)
    load, begun = os.getloadavg()[0], time.monotonic()
    try:
        runs = list(measure(sizes))
    except Exception:
        traceback.print_exc()
        return False
    seconds = time.monotonic() - begun
    figures, spread = medians(runs)
    repetitions = max(Counter(figure for run in runs for figure in run).values())
    measured = Measurement(figures, spread, repetitions, round(seconds, 1), load, os.getloadavg()[0], asdict(sizes))
    store(name, measured, results)
    print(f"{name}: {seconds:.0f} s, load {load:.1f} before, {measured.load_after:.1f} after", flush=True)
    for figure, value in figures.items():
        print(f"  {figure:44} {value:12.4g}   {spread[figure][0]:.4g} … {spread[figure][1]:.4g}", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
