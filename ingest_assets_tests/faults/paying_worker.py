"""A worker in a process of its own, whose settings are in its environment; it ends when the queue is empty.

python -m ingest_assets_tests.faults.paying_worker CLAIM
"""

import sys
from datetime import timedelta
from threading import Event

from ingest_assets.composition import Deployment
from ingest_assets.pipeline.drain import DrainLimits
from ingest_assets.settings import Settings


def main(claim: str) -> None:
    deployment = Deployment(Settings())
    try:
        deployment.drain.run(claim, DrainLimits(idle=timedelta(0)), stop=Event(), report=lambda: None)
    finally:
        deployment.close()


if __name__ == "__main__":
    main(sys.argv[1])
