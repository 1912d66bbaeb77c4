"""The warm server: `python -m ingest_assets.orchestration.warm_launcher DAGSTER_HOME MODULE`."""

import gc
import sys
from pathlib import Path

from ingest_assets.orchestration.dagster_internals import install
from ingest_assets.orchestration.warm_launcher.preload import Preloaded
from ingest_assets.orchestration.warm_launcher.server import Server
from ingest_assets.orchestration.warm_launcher.sockets import listen, socket_path


def main() -> None:
    """Serve until a signal stops this process."""
    install()
    home, module = sys.argv[1:]
    path = socket_path(Path(home))
    listener = listen(path)  # runs that are launched now wait; importing everything themselves would take as long
    gc.disable()  # pages that the collector never touches stay shared with the forked processes
    preloaded = Preloaded(module)
    gc.freeze()
    Server(listener, path, preloaded.is_current).serve()


if __name__ == "__main__":
    main()
