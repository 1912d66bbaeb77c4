"""Measures a deployment of its own under load; the last line that it prints is one line of JSON.

.venv/bin/python -m benchmarks.load [--minutes N] [--documents-per-hour N] [--users N] …
"""

import json
import os
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import fields
from itertools import islice
from pathlib import Path

from benchmarks.deployments import forget_this_machine
from benchmarks.figures import Figures, machine
from benchmarks.load.figures import errors, figures
from benchmarks.load.plan import LoadPlan
from benchmarks.load.report import table
from benchmarks.load.run import run_load
from benchmarks.load.verification import verdict
from ingest_assets.posix.signals import stop_on_signals

RESULTS = Path(__file__).parents[1] / "results" / "load.json"
SHOWN_ERRORS = 20


def main() -> int:
    plan, settings, database_url, results = _arguments()
    forget_this_machine()
    stop_on_signals()  # which ends what was started
    load, when = os.getloadavg()[0], time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    seen = run_load(plan, database_url, **settings)
    measured = {name: round(figure, 3) for name, figure in figures(seen).items()}
    for error in islice(errors(seen, verdict(plan, seen.outcomes, seen.endings)), SHOWN_ERRORS):
        print(error, file=sys.stderr)
    print("\n" + table(plan, measured))
    _store(results, measured, plan, settings, when, load)
    print(json.dumps({name: _plain(figure) for name, figure in measured.items()}), flush=True)
    return 1 if measured["errors"] else 0


def _arguments() -> tuple[LoadPlan, dict[str, str], str | None, Path]:
    parser = ArgumentParser(prog="benchmarks.load", description=__doc__)
    for each in fields(LoadPlan):
        kind = type(each.default)
        shown = f"by default {each.default}"
        parser.add_argument(
            "--" + each.name.replace("_", "-"), type=kind, default=each.default, metavar="N", help=shown
        )
    parser.add_argument("--database-url", help="an empty database; by default the embedded one")
    parser.add_argument(
        "--set", action="append", type=_setting, default=[], help="NAME=VALUE of the deployment's settings"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="where all figures are kept")
    given = vars(parser.parse_args())
    plan = LoadPlan(**{each.name: given[each.name] for each in fields(LoadPlan)})
    return plan, dict(given["set"]), given["database_url"] or None, given["results"]


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ArgumentTypeError("it must look like NAME=VALUE")
    return name, value


def _store(path: Path, measured: Figures, plan: LoadPlan, settings: dict[str, str], when: str, load: float) -> None:
    sizes = {each.name: getattr(plan, each.name) for each in fields(LoadPlan)}
    about = {"when": when, "machine": machine(), "load_before": load}
    kept = about | {"plan": sizes, "settings": settings, "figures": measured}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(kept, indent=2) + "\n")


def _plain(figure: float) -> float | int:
    return int(figure) if figure.is_integer() else figure


if __name__ == "__main__":
    sys.exit(main())
