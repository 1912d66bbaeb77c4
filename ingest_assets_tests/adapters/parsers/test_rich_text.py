"""RTF is read as it is shown."""

import pytest

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.adapters.parsers.sealed.rich_text import as_shown
from ingest_assets.domain.files.file_types import FileType
from ingest_assets_tests.contracts.parser_contract import parse


def lines(parser: LocalParser, body: str) -> list[str]:
    content = b"{\\rtf1\\ansi " + body.encode() + b"}"
    return [line.strip() for line in parse(parser, content, FileType.RTF).text.split("\n") if line.strip()]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (r"a \deleted gone\deleted0  b", "a b"),
        (r"a \deleted1 gone\deleted0  b", "a b"),
        (r"a\deleted gone\plain  b", "a b"),
        (r"a\deleted gone{\deleted0  shown} gone\deleted0  b", "a shown b"),
        (r"a{\deleted gone{\plain\b  shown}{\i gone}} b", "a shown b"),
        (r"a\plain\deleted0\revised0\v0  b", "a b"),
        (r"{a\deleted0  b\revised0  c\v0  d\strike0  e}", "a b c d e"),
        (r"a \v hidden\v0  b {\v1 hidden}c", "a b c"),
        (r"a{\deleted gone \\deleted0 gone} b", "a b"),
    ],
)
def test_what_is_switched_off_again_is_shown(parser: LocalParser, said: str, shown: str) -> None:
    content = rf"{{\rtf1\ansi {said}\par End.}}".encode()
    first, end = parse(parser, content, FileType.RTF).text.split("\n\n")

    assert " ".join(first.split()).replace("*", "") == shown
    assert end == "End."


def test_what_was_deleted_is_gone(parser: LocalParser) -> None:
    changed = (
        r"The excess is {\deleted\revauthdel1 two \{2\} {\b hundred}}{\revised seven hundred}{\deleted0  fifty}.\par"
    )

    assert lines(parser, changed) == ["The excess is seven hundred fifty."]


def test_clauses_have_their_numbers_and_bullets_stay_bullets(parser: LocalParser) -> None:
    def item(number: str, text: str) -> str:
        return rf"\pard{{\listtext\pard\plain {number}\tab}}\ls1\ilvl0 {text}\par "

    shown = lines(parser, item("2.2", "Wear and tear") + item("(b)", "solar panels") + item(r"\'b7", "hail"))

    assert [line.replace("\t", " ") for line in shown[:2]] == ["2.2 Wear and tear", "(b) solar panels"]
    assert shown[2:] == lines(parser, item(r"\'b7", "hail"))


def test_notes_and_comments_are_there(parser: LocalParser) -> None:
    noted = r"Boats{\super\chftn{\footnote\pard\plain Not afloat.}} are covered{\*\annotation\pard\plain Agreed.}.\par"

    text = " ".join(lines(parser, noted))

    assert "Footnote: Not afloat." in text
    assert "Comment: Agreed." in text


def test_a_page_s_end_parts_words_and_a_hyphen_that_holds_a_line_is_a_hyphen(parser: LocalParser) -> None:
    assert lines(parser, r"Fire\page Hail in KFZ\_4711 under C:\\_x\par") == ["Fire", r"Hail in KFZ-4711 under C:\_x"]


def test_a_letter_that_is_written_in_parts_does_not_cost_the_tables(parser: LocalParser) -> None:
    table = r"\trowd\cellx1\cellx2\intbl a\cell b\cell\row\pard "

    assert lines(parser, rf"Mu\u776?ller\par {table}")[:2] == ["Müller", "| a | b |"]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "repeated", [rb"\deleted ", rb"{\deleted}", rb"{\listtext 1", rb"{\listtext 1}\ls1", b"{", b"\\{"]
)
def test_hostile_rich_text_takes_linear_time(repeated: bytes) -> None:
    assert as_shown(b"{\\rtf1 fire " + repeated * 200_000).startswith(b"{\\rtf1 fire")
