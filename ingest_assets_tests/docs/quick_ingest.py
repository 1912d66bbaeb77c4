"""The `ingest` command in processes of its own, forked from one that has imported everything: a tenth of a second each.

`python -m ingest_assets_tests.docs.quick_ingest SOCKET` is that one. What a shell calls hands over its arguments, its
folder, its environment and its streams.
"""

import json
import os
import signal
import socket
import sys
from importlib import import_module
from pathlib import Path

from ingest_assets.cli.app import SUMMARIES, main
from ingest_assets.orchestration.warm_launcher.preload import Preloaded

LATE = ("openai", "tiktoken", "ingest_assets.cli.console")
"""What commands import when they need it."""
CLIENT = """#!{python} -SE
import json, os, socket, sys
if sys.argv[1:2] in (["up"], ["serve"]):
    os.execv({ingest!r}, ["ingest", *sys.argv[1:]])
with socket.socket(socket.AF_UNIX) as server:
    server.connect({socket!r})
    asked = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(server, [len(asked).to_bytes(4, "big")], [0, 1, 2])
    server.sendall(asked)
    sys.exit(server.recv(1)[0])
"""


def write_client(folder: Path, socket_path: Path) -> None:
    """Write the command `ingest` that shells find."""
    client = folder / "ingest"
    python = Path(sys.executable)
    client.write_text(CLIENT.format(python=python, ingest=str(python.parent / "ingest"), socket=str(socket_path)))
    client.chmod(0o700)


def serve(listener: socket.socket) -> None:
    """Fork for each command, until the process is told to end."""
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os._exit(_answer(connection))
        connection.close()


def _answer(connection: socket.socket) -> int:
    length, streams, _, _ = socket.recv_fds(connection, 4, 3)
    with connection.makefile("rb") as asking:
        arguments, folder, environment = json.loads(asking.read(int.from_bytes(length, "big")))
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["ingest", *arguments]
    code = _run()
    connection.sendall(bytes([code]))
    return code


def _run() -> int:
    try:
        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    Preloaded("ingest_assets.definitions")
    for name in (*(f"ingest_assets.cli.commands.{each.replace('-', '_')}" for each in SUMMARIES), *LATE):
        import_module(name)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(sys.argv[1])
        server.listen()
        print("ready", flush=True)  # noqa: T201
        serve(server)
