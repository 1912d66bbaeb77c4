from itertools import pairwise

import pytest
from hypothesis import given

from ingest_assets.domain.text.markdown_blocks import HEADING_CHARACTERS, Block, BlockKind, scan_blocks
from ingest_assets_tests.domain.text.markdown_texts import PROPERTY, TEXTS


def outline(text: str) -> list[tuple[str, str]]:
    """Kind and text of every block."""
    return [(block.kind.value, text[block.start : block.end]) for block in scan_blocks(text)]


def heading_paths(text: str) -> list[tuple[str, ...]]:
    return [block.heading_path for block in scan_blocks(text) if block.kind is BlockKind.PARAGRAPH]


def test_a_document_is_read_as_its_blocks() -> None:
    text = "# Cover\n\nWe pay.\nAlways.\n- fire\n- water\n\n| a | b |\n|---|:-:|\n| 1 | 2 |\n\n---\n```\ncode\n```\nEnd"

    assert outline(text) == [
        ("heading", "# Cover"),
        ("paragraph", "We pay.\nAlways."),
        ("list", "- fire\n- water"),
        ("table", "| a | b |\n|---|:-:|\n| 1 | 2 |"),
        ("rule", "---"),
        ("fence", "```\ncode\n```"),
        ("paragraph", "End"),
    ]


@pytest.mark.parametrize(
    ("heading", "title"),
    [
        ("# Cover", "Cover"),
        ("   ### Cover ###", "Cover"),
        ("## **Cover**", "Cover"),
        ("# C#", "C#"),
        ("#\tCover\r", "Cover"),
        ("Cover\n=====", "Cover"),
        ("Cover\n--", "Cover"),
        ("# " + "x" * 5000, "x" * HEADING_CHARACTERS),
    ],
)
def test_a_heading_names_the_path_of_what_follows(heading: str, title: str) -> None:
    assert heading_paths(f"before\n\n{heading}\n\nafter") == [(), (title,)]


@pytest.mark.parametrize(
    "line",
    ["#Cover", "####### Cover", "    # Cover", "text # Cover", "> # Cover", r"\# Cover", "Cover\n-", "> Cover\n--"],
)
def test_what_only_looks_like_a_heading_is_none(line: str) -> None:
    assert all(block.kind is not BlockKind.HEADING for block in scan_blocks(f"{line}\n\nafter"))


def test_a_path_holds_the_headings_above_and_no_others() -> None:
    text = "# A\n\na\n\n### B\n\nb\n\n## C\n\nc\n\nD\n---\n\nd\n\n# E\n\ne\n\n##\n\nf"

    assert heading_paths(text) == [("A",), ("A", "B"), ("A", "C"), ("A", "D"), ("E",), ("E",)]


def test_a_heading_stands_under_itself_and_knows_its_level() -> None:
    headings = list(scan_blocks("# A\n## B\nC\n==="))

    assert [(block.heading_path, block.level) for block in headings] == [(("A",), 1), (("A", "B"), 2), (("C",), 1)]


@pytest.mark.parametrize(
    "fence",
    [
        "```python\n# not a heading\n```",
        "~~~ `info`\n# no\n```\n~~~",
        "`````\n```\n# no\n```\n`````",
        "  ```\n# no\n    ```",
        "```\n\n\n| a |\n|---|\n\n```",
    ],
)
def test_nothing_inside_a_fence_is_a_block_of_its_own(fence: str) -> None:
    assert outline(f"before\n{fence}\nafter") == [
        ("paragraph", "before"),
        ("fence", fence.strip()),
        ("paragraph", "after"),
    ]


def test_a_fence_that_nothing_closes_runs_to_the_end() -> None:
    assert outline("```\n# no\n\nmore\n\n") == [("fence", "```\n# no\n\nmore")]


def test_backticks_within_a_line_open_no_fence() -> None:
    assert outline("```code``` here\n\n# Heading") == [("paragraph", "```code``` here"), ("heading", "# Heading")]


def test_a_list_keeps_its_indented_and_nested_parts() -> None:
    text = "1. one\n   more\n\n   still\n  - nested\n\n\n2) two\nlazily continued"

    assert outline(f"{text}\n\nA paragraph\n# H") == [("list", text), ("paragraph", "A paragraph"), ("heading", "# H")]


def test_a_fence_inside_a_list_is_a_block_of_its_own() -> None:
    assert [kind for kind, _ in outline("- a\n  ```\n  # no\n  ```\n- b")] == ["list", "fence", "list"]


def test_a_table_needs_a_delimiter_row_and_ends_where_the_pipes_do() -> None:
    assert outline("a | b\n--|--\n1 | 2\nText") == [("table", "a | b\n--|--\n1 | 2"), ("paragraph", "Text")]
    assert outline("a | b\n1 | 2") == [("paragraph", "a | b\n1 | 2")]
    assert outline("|a|\n|-|\n# B | C") == [("table", "|a|\n|-|"), ("heading", "# B | C")]


def test_a_table_knows_where_its_header_ends() -> None:
    text = "text\n\n| a |\n|---|  \n| 1 |"
    (table,) = (block for block in scan_blocks(text) if block.kind is BlockKind.TABLE)

    assert text[table.start : table.header_end] == "| a |\n|---|"


def test_front_matter_is_no_heading() -> None:
    assert [kind for kind, _ in outline("---\ntitle: Cover\nauthor: us\n---\n\nText")] == [
        "rule",
        "paragraph",
        "rule",
        "paragraph",
    ]


def test_windows_line_ends_make_no_difference() -> None:
    text = "# A\r\n\r\n| a |\r\n|---|\r\n| 1 |\r\n\r\nB\r\n---\r\n```\r\nx\r\n```\r\nC"

    assert [kind for kind, _ in outline(text)] == ["heading", "table", "heading", "fence", "paragraph"]
    assert outline(text.replace("\r\n", "\n")) == [(kind, words.replace("\r", "")) for kind, words in outline(text)]


def test_white_space_alone_has_no_blocks() -> None:
    assert outline(" \n\t\n\n") == outline("") == []


@PROPERTY
@given(TEXTS)
def test_every_character_but_white_space_is_in_exactly_one_block(text: str) -> None:
    blocks = list(scan_blocks(text))

    assert "".join("".join(text[block.start : block.end].split()) for block in blocks) == "".join(text.split())
    assert all(before.end < after.start for before, after in pairwise(blocks))


@PROPERTY
@given(TEXTS)
def test_a_block_has_no_white_space_at_its_ends(text: str) -> None:
    def words(block: Block) -> str:
        return text[block.start : block.end]

    assert all(words(block) and words(block) == words(block).strip() for block in scan_blocks(text))
