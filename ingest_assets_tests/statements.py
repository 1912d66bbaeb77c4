"""What a Postgres server executed, as its own answers say: counted between client and server, whatever the client is.

A proxy on a Unix socket passes every byte on and reads the protocol on its way. A statement counts when the server has
answered it, so BEGIN and COMMIT count, and so do the statements of a pipeline and those of one simple query.
"""

import re
import socket
import struct
import tempfile
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from ingest_assets.adapters.postgres.queries import queries

PLACEHOLDER = re.compile(r"%\(\w+\)[sbt]|\$\d+")
TELLING = 300
"""So many characters tell a statement from all others."""
SHOWN = 60
"""Characters of a statement that has no name in sql/queries."""
PREPARES = "applied_migrations"
"""Ends the preparation of a connection; what came before it was no work."""
BYTES_AT_ONCE = 65_536

Connection = psycopg.Connection[tuple[Any, ...]]
Handler = Callable[[bytes, bytes], None]
"""Takes a message's type and its body."""


@dataclass(frozen=True, slots=True)
class Statement:
    name: str
    """As in sql/queries; of others their beginning."""
    answer: str
    """The server's command tag, such as INSERT 0 3, or "ERROR" with its code."""
    transaction: tuple[int, int]
    """The connection, and which of its transactions."""
    after: str | None = None
    """What the watched query gave once this statement's transaction had ended."""


class Record:
    """Every statement that the server answered, in the order of its answers."""

    def __init__(self, watch: Callable[[], str | None]) -> None:
        self._watch = watch
        self._statements: list[Statement] = []
        self._lock = threading.Lock()

    @property
    def statements(self) -> list[Statement]:
        with self._lock:
            return list(self._statements)

    def forget(self) -> None:
        """Begin anew; nobody may be in the middle of a transaction."""
        with self._lock:
            self._statements.clear()

    def between(self, begun: str, ended: str) -> list[Statement]:
        """Return the statements from the transaction after which the watched query first gave `begun` to that after
        which it first gave `ended`, both included, without the preparation of connections."""
        statements = self.statements
        observed = [each.after for each in statements]
        first, last = observed.index(begun), observed.index(ended)
        prepared = dict(each.transaction for each in statements if each.name == PREPARES)
        return [
            each
            for number, each in enumerate(statements[: last + 1])
            if (number >= first or each.transaction == statements[first].transaction)
            and each.transaction[1] > prepared.get(each.transaction[0], -1)
        ]

    def note(self, statement: Statement) -> int:
        """Return its place."""
        with self._lock:
            self._statements.append(statement)
            return len(self._statements) - 1

    def observe(self, place: int) -> None:
        with self._lock:
            self._statements[place] = replace(self._statements[place], after=self._watch())


@dataclass(frozen=True, slots=True)
class Expected:
    """What the server has yet to answer."""

    text: str
    ends: bool
    """Whether the server is ready for the next query after it: a simple query, or the Sync of an extended one."""


@dataclass(slots=True)
class Session:
    """One client's connection, as the messages of both sides tell it."""

    number: int
    record: Record
    texts: dict[bytes, str] = field(default_factory=dict)
    """Prepared statements by their names."""
    expected: deque[Expected] = field(default_factory=deque)
    transactions: int = 0
    last: int | None = None
    """The place of the last statement since the last transaction ended."""

    def from_client(self, kind: bytes, body: bytes) -> None:
        match kind:
            case b"P":
                name, text, _ = body.split(b"\0", 2)
                self.texts[name] = text.decode()
            case b"B":
                _, name, _ = body.split(b"\0", 2)
                # not only when it is executed: the server may refuse its values before that is asked
                self.expected.append(Expected(self.texts[name], ends=False))
            case b"Q":
                self.expected.append(Expected(body[:-1].decode(), ends=True))
            case b"S":
                self.expected.append(Expected("", ends=True))

    def from_server(self, kind: bytes, body: bytes) -> None:
        match kind:
            case b"C":
                self._answered(body[:-1].decode())
            case b"I" | b"s":  # an empty query; a portal with more rows
                self._answered("")
            case b"E" if self.expected:
                self._answered("ERROR " + next(part[1:].decode() for part in body.split(b"\0") if part[:1] == b"C"))
            case b"Z":
                self._ready(idle=body == b"I")

    def _answered(self, answer: str) -> None:
        expected = self.expected[0]
        if not expected.ends:  # a simple query may hold several statements, each with an answer
            self.expected.popleft()
        self.last = self.record.note(Statement(name_of(expected.text), answer, (self.number, self.transactions)))

    def _ready(self, *, idle: bool) -> None:
        while self.expected and not self.expected.popleft().ends:
            pass  # the server skips the rest of a pipeline after an error
        if idle and self.last is not None:
            self.record.observe(self.last)
            self.transactions, self.last = self.transactions + 1, None


class Proxy:
    """Listens in a folder of its own, as the server does in its own, and passes on what it hears."""

    def __init__(self, server: Path, folder: Path, record: Record) -> None:
        self._server, self._record = server, record
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / server.name))
        self._listener.listen(64)
        self._start(self._accept)

    def close(self) -> None:
        for each in (self._listener, *self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join()

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, server = self._listener.accept()[0], socket.socket(socket.AF_UNIX)
                server.connect(str(self._server))
                session = Session(len(self._sockets), self._record)
                self._sockets += [client, server]
                self._start(pass_on, client, server, session.from_client, 0)
                self._start(pass_on, server, client, session.from_server, 1)


def pass_on(
    source: socket.socket,
    sink: socket.socket,
    handle: Handler,
    type_bytes: int,
    keeps: Callable[[], bool] = lambda: False,
) -> None:
    """Hand each message to `handle` before it goes on, unless this `keeps` it. The client's first one has no type."""
    waiting = b""
    with suppress(OSError):  # closed
        while received := source.recv(BYTES_AT_ONCE):
            waiting += received
            while len(waiting) >= type_bytes + 4:
                end = type_bytes + struct.unpack_from("!I", waiting, type_bytes)[0]
                if len(waiting) < end:
                    break
                handle(waiting[:type_bytes], waiting[type_bytes + 4 : end])
                if not keeps():
                    sink.sendall(waiting[:end])
                waiting, type_bytes = waiting[end:], 1
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def counted_statements(database_url: str, watched: str = "SELECT NULL") -> Iterator[tuple[str, Record]]:
    """Yield a URL of the same database and a record of what its server executes for whoever uses that URL.

    `watched` is asked on a connection of its own whenever a transaction has ended, before the client hears of it.
    """
    names = conninfo_to_dict(database_url)
    socket_file = Path(str(names["host"])) / f".s.PGSQL.{names.get('port', 5432)}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="statements-")))
        connection = stack.enter_context(psycopg.connect(database_url, autocommit=True))
        record = Record(lambda: _only_value(connection, watched))
        stack.callback(Proxy(socket_file, folder, record).close)
        user, port = quote(str(names["user"]), safe=""), names.get("port", 5432)
        yield f"postgresql://{user}@:{port}/{names['dbname']}?host={quote(str(folder), safe='')}", record


def counts(statements: Sequence[Statement]) -> dict[str, int]:
    """Return how often each statement was executed, the most frequent ones first."""
    return dict(Counter(each.name for each in statements).most_common())


def table(statements: Sequence[Statement]) -> str:
    """Return the counts as lines, for a failed assertion."""
    lines = [f"{count:6} {name}" for name, count in counts(statements).items()]
    return "\n".join([f"{len(statements)} statements:", *lines])


def name_of(text: str) -> str:
    """Return a statement's name in sql/queries, of several sent together the first one's, or the beginning of it."""
    comparable = _comparable(text)
    known = _names().get(comparable) or _name_of_first(comparable) or _name_of_beginning(comparable[:TELLING])
    return known or " ".join(text.split())[:SHOWN] or "(empty)"


def _name_of_first(comparable: str) -> str | None:
    return next((name for text, name in _names().items() if comparable.startswith(f"{text};\n")), None)


def _name_of_beginning(beginning: str) -> str | None:
    """Return the name of a statement whose end was cut off, as the server does it in pg_stat_activity."""
    if len(beginning) < TELLING:
        return None
    return next((name for text, name in _names().items() if text.startswith(beginning)), None)


@cache
def _names() -> dict[str, str]:
    return {_comparable(text.decode()): name for name, text in queries().items()}


def _comparable(text: str) -> str:
    return PLACEHOLDER.sub("?", text).replace("%%", "%").strip().rstrip(";")


def _only_value(connection: Connection, question: str) -> str | None:
    row = connection.execute(question.encode()).fetchone()
    return None if row is None or row[0] is None else str(row[0])
