"""A word that documents, names and providers say, and every place where it must not turn up, in any spelling."""

import zlib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg import sql

TABLES = """SELECT table_schema, table_name FROM information_schema.tables
WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')"""


class Canary:
    """Of letters and digits only, so that URLs, JSON and SQL spell it like any other text."""

    def __init__(self, word: str) -> None:
        assert word.isascii()
        assert word.isalnum()
        self.word = word
        said = word.encode()
        self._in_any_case = {
            said.lower(),
            said.hex().encode(),
            word.lower().encode("utf-16-le"),
            word.lower().encode("utf-16-be"),
        }
        self._as_it_is = {form for each in (said, said.lower(), said.upper()) for form in _in_base64(each)}

    def is_in(self, content: bytes | str) -> bool:
        """Also deflated."""
        raw = content.encode(errors="surrogatepass") if isinstance(content, str) else content
        return self._is_said(raw) or self._is_said(_inflated(raw))

    def below(self, folder: Path, *spared: str) -> list[str]:
        """Files whose content or path says it; not below what is named so in the folder."""
        files = [path for path in sorted(folder.rglob("*")) if path.relative_to(folder).parts[0] not in spared]
        return [str(path) for path in files if self.is_in(str(path.relative_to(folder))) or self.is_in(_content(path))]

    def in_database(self, url: str) -> list[str]:
        """Its columns that say it."""
        with psycopg.connect(url) as connection:
            return sorted({place for place, value in _values(connection) if self.is_in(value)})

    def _is_said(self, content: bytes) -> bool:
        lowered = content.lower()
        return any(form in lowered for form in self._in_any_case) or any(form in content for form in self._as_it_is)


def _in_base64(said: bytes) -> Iterator[bytes]:
    """Wherever it begins: the characters that nothing beside it has a part in."""
    for before in range(3):
        first, last = -(-before * 8 // 6), (before + len(said)) * 8 // 6
        yield b64encode(bytes(before) + said)[first:last]


def _inflated(content: bytes) -> bytes:
    with suppress(zlib.error):
        return zlib.decompress(content)
    return b""


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() and not path.is_symlink() else b""


def _values(connection: psycopg.Connection) -> Iterator[tuple[str, bytes | str]]:
    for schema, table in connection.execute(TABLES).fetchall():
        rows = connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, table)))
        names = [column.name for column in rows.description or ()]
        for row in rows:
            for name, value in zip(names, row, strict=True):
                yield f"{schema}.{table}.{name}", value if isinstance(value, bytes) else str(value)
