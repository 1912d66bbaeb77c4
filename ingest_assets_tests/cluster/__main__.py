"""Several hosts on one machine: python -m ingest_assets_tests.cluster --documents 300 --broker redis.

Measures two worker hosts against one, then breaks the cluster while documents go through it. Prints, as its last line,
one line of JSON.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest_assets_tests.cluster import network
from ingest_assets_tests.cluster.faults import FAULTS
from ingest_assets_tests.cluster.judgement import Judgement, judge
from ingest_assets_tests.cluster.ratio import FEWEST, measure
from ingest_assets_tests.cluster.site import BROKERS, Plan, Site, site
from ingest_assets_tests.cluster.striking import strike
from ingest_assets_tests.conftest import FOREIGN
from ingest_assets_tests.faults.harness.checks.reader import Reader
from ingest_assets_tests.faults.harness.report import say
from ingest_assets_tests.seaweedfs import WEED

FOLDER = "ingest-cluster-"


def main() -> int:
    arguments = _arguments()
    asked = arguments.parse_args()
    if asked.rounds and asked.documents < FEWEST:
        arguments.error(f"--documents must be at least {FEWEST}, so that both hosts get a drain run")
    lacks = missing(asked.broker)
    if lacks is not None:
        return _skip(lacks)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Stopped."))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit("Stopped."))
    for name in [name for name in os.environ if name.startswith((*FOREIGN, "AWS_"))]:
        del os.environ[name]
    plan = Plan(asked.broker, asked.lease, asked.latency, embeddings=asked.embeddings, parses=asked.parses)
    try:
        with network.sole_user(), _new_folder() as folder:
            try:
                with site(plan, folder, asked.seed) as made:
                    judgement = _try(made, asked)
            finally:
                if asked.keep is not None:
                    shutil.copytree(folder, asked.keep, dirs_exist_ok=True, ignore=_no_sockets)
    except network.BusyError:
        return _skip(f"another process has its namespaces ({network.LOCK})")
    judgement.tell()
    return 0 if judgement.is_clean else 1


@contextmanager
def _new_folder() -> Iterator[Path]:
    """Yield a folder, and remove it afterwards, with those that killed runs have left."""
    for left in Path(tempfile.gettempdir()).glob(f"{FOLDER}*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=FOLDER, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def missing(broker: str) -> str | None:
    """Return what this machine lacks for a cluster of namespaces, if anything."""
    if not WEED.exists():
        return "SeaweedFS is not installed (`make servers`)"
    return BROKERS[broker].missing or network.missing()


def _skip(why: str) -> int:
    say(f"No cluster was tried: {why}.")
    say(json.dumps({"hosts": 0, "skipped": why}))
    return 1


def _try(made: Site, asked: argparse.Namespace) -> Judgement:
    say(f"broker {made.plan.broker}, lease {made.plan.lease_seconds} s, providers {made.plan.provider_seconds} s")
    say(f"each worker: {made.plan.slots} slots; {made.plan.settings}")
    measured = []
    if asked.rounds:
        say(f"{asked.documents} documents by one worker host and by two:")
        measured = measure(made, asked.documents, asked.rounds)
    else:
        for worker in made.workers:
            worker.start()
        for worker in made.workers:
            worker.wait()
    with Reader(made.clients, asked.seed) as reader:
        outcomes = [strike(made, FAULTS[name], asked.in_flight, with_sequel=not asked.short) for name in asked.faults]
        return judge(made, reader, measured, outcomes)


def _no_sockets(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if not (Path(folder) / name).is_file() and not (Path(folder) / name).is_dir()]


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make cluster", description=__doc__)
    parser.add_argument("--broker", choices=BROKERS, default="redis")
    parser.add_argument("--documents", type=int, default=300, help="how many go through in each measurement")
    parser.add_argument("--rounds", type=int, default=2, help="how often one and two hosts are measured; 0 for not")
    parser.add_argument("--faults", nargs="*", metavar="NAME", default=list(FAULTS), help=f"of {', '.join(FAULTS)}")
    parser.add_argument("--in-flight", type=int, default=40, help="how many documents go through during each fault")
    parser.add_argument("--lease", type=int, default=8, help="the workers' lease in seconds")
    parser.add_argument("--latency", type=float, default=0.2, help="how many seconds each call of a provider takes")
    parser.add_argument("--embeddings", type=int, default=1, help="how many requests a worker has at OpenAI at once")
    parser.add_argument("--parses", type=int, default=4, help="how many documents a worker has at LlamaParse at once")
    parser.add_argument("--seed", type=int, default=1, help="of the documents and the reader's questions")
    parser.add_argument("--short", action="store_true", help="look no further once all has recovered from a fault")
    parser.add_argument("--keep", type=Path, help="a folder for the logs of everything")
    return parser


if __name__ == "__main__":
    sys.exit(main())
