"""Breaks a deployment on purpose: python -m ingest_assets_tests.faults.harness --seed 1 --kills 20 --documents 50.

Prints its seed, each fault with what recovered when, and as its last line one line of JSON.
"""

import argparse
import os
import random
import sys
import tempfile
from pathlib import Path

from ingest_assets_tests.conftest import FOREIGN
from ingest_assets_tests.faults.harness.deployment.tree import adopting_orphans
from ingest_assets_tests.faults.harness.kinds.table import FAULTS, SHORT
from ingest_assets_tests.faults.harness.report import tell, write
from ingest_assets_tests.faults.harness.run import Plan, run
from ingest_assets_tests.faults.harness.schedule import Round, schedule


def main() -> int:
    asked = _arguments().parse_args()
    seed = random.SystemRandom().randrange(10**6) if asked.seed is None else asked.seed
    plan = Plan(seed, _rounds(asked, seed), asked.documents, asked.poison, asked.lease)
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        del os.environ[name]
    return adopting_orphans(lambda: _run(plan, asked.report))


def _rounds(asked: argparse.Namespace, seed: int) -> list[Round]:
    if asked.short:
        return [tuple(FAULTS[name] for name in SHORT)]
    if asked.faults:
        return [(FAULTS[name],) for name in asked.faults]
    return schedule(seed, asked.kills)


def _run(plan: Plan, report: Path | None) -> int:
    with tempfile.TemporaryDirectory(prefix="ingest-faults-", ignore_cleanup_errors=True) as folder:
        result = run(plan, Path(folder))
        if report is not None:
            write(result, report)
        tell(result)
    return 0 if result.is_clean else 1


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--seed", type=int, help="the schedule's seed; by default a new one")
    parser.add_argument("--kills", type=int, default=20, help="how many processes are ended")
    parser.add_argument("--documents", type=int, default=50)
    parser.add_argument("--poison", type=float, default=0.05, help="the share of documents that cannot land")
    parser.add_argument("--lease", type=int, default=5, help="the workers' lease in seconds")
    parser.add_argument("--faults", nargs="*", metavar="NAME", help=f"only these, in order: {', '.join(FAULTS)}")
    parser.add_argument("--short", action="store_true", help="the fixed short set, in one storm")
    parser.add_argument("--report", type=Path, help="a file for all figures, as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
