"""Tables without rules, by the places of their words."""

from collections.abc import Sequence

import pytest

from ingest_assets.domain.text.layout import Word, tables_of
from ingest_assets.domain.text.woven_tables import with_table

LETTER, HEIGHT = 5.0, 10.0


def words(lines: Sequence[str], top: float = 0) -> list[Word]:
    """Words as a typewriter would place them."""
    return [
        Word(part, LETTER * at, top + 14 * row, LETTER * (at + len(part)), top + 14 * row + HEIGHT)
        for row, line in enumerate(lines)
        for at, part in places(line)
    ]


def places(line: str) -> list[tuple[int, str]]:
    found, at = [], 0
    for part in line.split(" "):
        if part:
            found.append((at, part))
        at += len(part) + 1
    return found


COVERS = [
    "Cover             Sum insured    Excess",
    "Fire and smoke        120,000       500",
    "Escape of water        80,000       250",
    "Theft                  30,000          ",
]


def test_rows_and_columns_are_found_however_cells_are_aligned() -> None:
    [table] = tables_of(words(COVERS))

    assert table.rows == [
        ["Cover", "Sum insured", "Excess"],
        ["Fire and smoke", "120,000", "500"],
        ["Escape of water", "80,000", "250"],
        ["Theft", "30,000", ""],
    ]


def test_a_cell_of_two_lines_is_one_cell() -> None:
    [table] = tables_of(words([*COVERS[:2], "Glass                   5,000       nil", "              ", *COVERS[2:]]))
    assert len(table.rows) == 5

    wrapped = [
        "Cover        What it means       Excess",
        "Glass        broken panes           100",
        "             and mirrors",
        "Hail         dented roofs           200",
    ]
    [table] = tables_of(words(wrapped))
    assert table.rows[1] == ["Glass", "broken panes and mirrors", "100"]


PROSE = [
    "The insurer pays for damage by fire   and it pays for escape of water",
    *["if the policy is in force that day   unless the tap was left open again"] * 4,
]
NUMBERED = ["17     the insurer pays for damage", "18     that fire does to buildings", "19     and to what is in them"]


@pytest.mark.parametrize(
    "lines",
    [
        PROSE,
        ["1.     We pay for fire.", "2.     We pay for theft.", "3.     We pay for hail."],
        ["•      We pay for fire.", "•      We pay for theft.", "•      We pay for hail."],
        NUMBERED,
        ["Name     Smith", "Address  London"],
    ],
    ids=["columns of text", "a numbered list", "a list", "numbered lines", "too few rows"],
)
def test_what_only_looks_like_a_table_is_none(lines: list[str]) -> None:
    assert tables_of(words(lines)) == []


def test_the_rest_of_a_table_continues_it() -> None:
    [first] = tables_of(words(COVERS))
    [rest] = tables_of(words([line for line in COVERS if line != COVERS[0]]))

    assert rest.continues(first)
    assert not first.continues(first)
    assert rest.markdown(first.rows[0]).startswith("| Cover | Sum insured | Excess |\n| --- | --- | --- |\n| Fire and")


def test_a_table_takes_the_place_of_its_words() -> None:
    [table] = tables_of(words(COVERS))
    run_together = " ".join(" ".join(COVERS).split())

    woven = with_table(f"# Schedule\n\n**{run_together}**\n\nAll sums in pounds.", table.words, "| T |")
    assert woven == "# Schedule\n\n| T |\n\nAll sums in pounds."


def test_a_table_that_is_there_already_stays_as_it_is() -> None:
    [table] = tables_of(words(COVERS))
    there = table.markdown()

    assert with_table(there, table.words, "| T |") == there


def test_a_table_takes_the_place_of_its_words_in_another_order() -> None:
    [table] = tables_of(words(["Body    Hours    Cost", "Labor   2        300", "Paint   1.5      225"]))
    there = "| Body | Cost |\n| --- | --- |\n| Labor | 300 |\n\n**Hours Paint**\n\n2\n\n1.5 225"
    page = f"# Order\n\n{there}\n\nAll costs in pounds."

    assert with_table(page, table.words, "| T |") == "# Order\n\n| T |\n\nAll costs in pounds."


def test_a_table_of_whose_words_few_stand_in_lines_of_their_own_follows_the_page() -> None:
    [table] = tables_of(words(["Body    Hours    Cost", "Labor   2        300", "Paint   1.5      225"]))
    page = "Cost\n\nThe labor of 2 hours is 300 for the body, and 225 for paint in 1.5."

    assert with_table(page, table.words, "| T |") == f"{page}\n\n| T |"


def test_no_more_lines_go_than_the_table_has_words() -> None:
    [table] = tables_of(words(["Body    Hours    Cost", "Labor   2        300", "Paint   1.5      225"]))
    page = "Cost\nBody\nHours\nLabor 300\nPaint\nPaint\n2\n1.5 225"

    assert with_table(page, table.words, "| T |") == "| T |\n\nPaint"


def test_a_cell_may_hold_what_parts_cells() -> None:
    [table] = tables_of(words(["Code   Sum", "a|b    100", "c      200"]))

    assert "| a\\|b | 100 |" in table.markdown()


def test_many_words_take_linear_time() -> None:
    line = "ab  " * 40
    assert tables_of(words([line] * 400)) is not None
