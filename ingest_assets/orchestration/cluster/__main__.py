"""A worker: `python -m ingest_assets.orchestration.cluster NAME SLOTS MODULE`. INGEST_BROKER_URL names the broker."""

import os
import sys

from ingest_assets.orchestration.cluster.worker import work


def main() -> None:
    name, slots, definitions = sys.argv[1:]
    work(name, int(slots), os.environ["INGEST_BROKER_URL"], definitions)


if __name__ == "__main__":
    main()
