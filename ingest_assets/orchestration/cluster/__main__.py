"""A worker: `python -m ingest_assets.orchestration.cluster NAME SLOTS MODULE LANE…`.

INGEST_BROKER_URL names the broker.
"""

import os
import sys

from ingest_assets.orchestration.cluster.worker import work


def main() -> None:
    name, slots, definitions, *lanes = sys.argv[1:]
    work(name, int(slots), lanes, os.environ["INGEST_BROKER_URL"], definitions)


if __name__ == "__main__":
    main()
