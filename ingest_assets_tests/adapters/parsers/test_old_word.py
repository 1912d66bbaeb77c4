"""Word's binary files are read as they are shown, and damaged ones are left to xberg."""

import random
from pathlib import Path

from ingest_assets.adapters.parsers.sealed.office.word.old_word import as_shown
from ingest_assets_tests import cases
from ingest_assets_tests.sample_files import ole2

FILES = Path(cases.__file__).parent / "files"
CHANGED = (FILES / "05_tracked_changes_and_comment.doc").read_bytes()


def test_deleted_letters_are_overwritten_where_they_are() -> None:
    shown, _ = as_shown(CHANGED)

    assert len(shown) == len(CHANGED)
    assert "two hundred fifty".encode("utf-16-le") in CHANGED
    assert "two hundred fifty".encode("utf-16-le") not in shown


def test_a_file_that_is_damaged_anywhere_is_read_or_returned_as_it_is() -> None:
    choice = random.Random(4)  # noqa: S311  the same damage each time
    for _ in range(300):
        damaged = bytearray(CHANGED)
        for _ in range(choice.randrange(1, 40)):
            damaged[choice.randrange(len(damaged))] = choice.randrange(256)
        shown, _ = as_shown(bytes(damaged[: choice.choice([len(damaged), choice.randrange(len(damaged))])]))
        assert len(shown) <= len(damaged)


def test_a_file_without_a_text_is_returned_as_it_is() -> None:
    assert as_shown(ole2("WordDocument")) == (ole2("WordDocument"), "")
