"""Connections that break off at a chosen statement, or stand still there while somebody else is at work.

A proxy like that of `statements.py` numbers the statements that a client sends, without those that prepare a connection
and those that only ask whether it lives.
"""

import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

from ingest_assets_tests.statements import PREPARES, Proxy, Record, Session, name_of, pass_on


class Side(StrEnum):
    BEFORE = "before the server saw it"
    AFTER = "after the server did it, whose answer is lost"
    PAUSED = "while others were at work"


@dataclass
class Scissors:
    """What becomes of statements: nothing, unless they are told to cut one."""

    at: int = 0
    side: Side = Side.BEFORE
    stays_dead: bool = False
    """Whether every later statement is refused too, as if the worker were gone."""
    meanwhile: Callable[[], object] = lambda: None
    names: list[str] = field(default_factory=list)
    """The statements that were sent since `begin`."""
    has_cut: bool = False
    _watches: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, at: int = 0, side: Side = Side.BEFORE, *, stays_dead: bool = False) -> None:
        """Number statements from 1, and cut the one with the number `at`, if it is not 0."""
        self.at, self.side, self.stays_dead = at, side, stays_dead
        self.names, self.has_cut, self._watches = [], False, True

    def end(self) -> None:
        self._watches = False

    def meets(self, text: str) -> Side | None:
        """Number a statement, and return what becomes of it."""
        with self._lock:
            if not self._watches or not text.strip():
                return None
            if self.has_cut:
                return Side.BEFORE if self.stays_dead else None
            self.names.append(name_of(text))
            self.has_cut = len(self.names) == self.at
            return self.side if self.has_cut else None


@dataclass(slots=True)
class CutSession(Session):
    scissors: Scissors = field(default_factory=Scissors)
    is_prepared: bool = False
    answer_is_lost: bool = False

    def from_client(self, kind: bytes, body: bytes) -> None:
        Session.from_client(self, kind, body)
        if kind in {b"E", b"Q"}:
            self._met(self.expected[-1].text)

    def _met(self, text: str) -> None:
        if not self.is_prepared:
            self.is_prepared = name_of(text) == PREPARES
            return
        match self.scissors.meets(text):
            case Side.BEFORE:
                raise ConnectionAbortedError
            case Side.AFTER:
                self.answer_is_lost = True
            case Side.PAUSED:
                self.scissors.meanwhile()

    def loses_answer(self) -> bool:
        return self.answer_is_lost

    def from_server(self, kind: bytes, body: bytes) -> None:
        Session.from_server(self, kind, body)
        if self.answer_is_lost and kind == b"Z":
            raise ConnectionAbortedError


class CuttingProxy(Proxy):
    def __init__(self, server: Path, folder: Path, scissors: Scissors) -> None:
        self._scissors = scissors
        super().__init__(server, folder, Record(lambda: None))

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, server = self._listener.accept()[0], socket.socket(socket.AF_UNIX)
                server.connect(str(self._server))
                session = CutSession(len(self._sockets), self._record, scissors=self._scissors)
                self._sockets += [client, server]
                self._start(_pass_on_or_break, client, server, session.from_client, 0, lambda: False)
                self._start(_pass_on_or_break, server, client, session.from_server, 1, session.loses_answer)


def _pass_on_or_break(source: socket.socket, sink: socket.socket, *how: Any) -> None:
    try:
        pass_on(source, sink, *how)
    finally:
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@contextmanager
def cut_statements(database_url: str) -> Iterator[tuple[str, Scissors]]:
    """Yield a URL of the same database, and what may cut the connections to it."""
    names, scissors = conninfo_to_dict(database_url), Scissors()
    socket_file = Path(str(names["host"])) / f".s.PGSQL.{names.get('port', 5432)}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cut-")))
        stack.callback(CuttingProxy(socket_file, folder, scissors).close)
        user, port = quote(str(names["user"]), safe=""), names.get("port", 5432)
        yield f"postgresql://{user}@:{port}/{names['dbname']}?host={quote(str(folder), safe='')}", scissors
