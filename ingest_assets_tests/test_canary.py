"""The search for the canary finds it in every spelling: what it does not find is not there."""

import json
import zlib
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg.types.json import Jsonb

from ingest_assets_tests.canary import Canary

CANARY = Canary("Quokka7f3a9c")
SPELLINGS: dict[str, Callable[[str], str | bytes]] = {
    "plain": str,
    "lower case": str.lower,
    "upper case": str.upper,
    "UTF-16": lambda text: text.encode("utf-16-le"),
    "UTF-16, big end first": lambda text: text.encode("utf-16-be"),
    "hexadecimal": lambda text: text.encode().hex(),
    "a URL": lambda text: quote(f"/ä {text}?"),
    "JSON": lambda text: json.dumps({"ä": f'"{text}"'}),
    "deflated": lambda text: zlib.compress(text.encode() * 9),
    "base64": lambda text: b64encode(text.encode() + b"yz"),
    "base64, one byte on": lambda text: b64encode(b"x" + text.encode() + b"yz"),
    "base64, two bytes on": lambda text: b64encode(b"xx" + text.encode() + b"yz"),
    "base64, far on": lambda text: b64encode(b"x" * 100 + text.encode()),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_it_is_found_in_every_spelling(spelling: str) -> None:
    said = SPELLINGS[spelling]
    assert CANARY.is_in(said("A Quokka7f3a9c."))
    assert not CANARY.is_in(said("A Quokka8f3a9c."))


def test_it_is_found_in_files_and_their_names_but_not_where_it_may_be(tmp_path: Path) -> None:
    for name in ("logs/a.log", "objects/b", "quokka7f3a9c.md", "clean"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("clean" if name == "clean" else f"says {CANARY.word}")
    (tmp_path / "quokka7f3a9c.md").write_text("clean")
    assert CANARY.below(tmp_path, "objects") == [str(tmp_path / "logs/a.log"), str(tmp_path / "quokka7f3a9c.md")]


def test_it_is_found_in_columns_of_every_type(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("CREATE SCHEMA other")
        connection.execute("CREATE TABLE other.planted (a text, b bytea, c jsonb, d text[], e text)")
        word = CANARY.word
        row = [word, zlib.compress(word.encode()), Jsonb({"x": [word]}), [word], "clean"]
        connection.execute("INSERT INTO other.planted VALUES (%s, %s, %s, %s, %s)", row)
    assert CANARY.in_database(empty_database_url) == [f"other.planted.{column}" for column in "abcd"]
