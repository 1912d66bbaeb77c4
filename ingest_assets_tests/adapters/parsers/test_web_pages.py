"""Web pages are read as they are shown."""

import pytest

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.adapters.parsers.sealed.web_pages import as_shown
from ingest_assets.domain.files.file_types import FileType
from ingest_assets_tests.contracts.parser_contract import parse


def test_a_filled_form_says_what_was_typed_ticked_and_chosen(parser: LocalParser) -> None:
    rows = {
        "Name": '<INPUT type="text" value="Threlkeld &amp; Sons">',
        "Day": "<input type=date value=2024-07-03>",
        "Injured": "<input type=checkbox checked> yes <input type=checkbox> no",
        "Cause": "<select><option>Fire</option><option value='2' selected>Hail</option><option>Flood</select>",
        "Report": "<textarea rows=3>A tree fell.</textarea>",
        "Secret": '<input type=hidden value="token"><input type="submit" value="Send">',
    }
    cells = "".join(f"<tr><td>{label}</td><td>{field}</td></tr>" for label, field in rows.items())

    text = parse(parser, f"<html><body><table>{cells}</table><p>End.</p></body></html>".encode(), FileType.HTML).text

    assert [line for line in text.split("\n") if line and "---" not in line] == [
        "| Name | Threlkeld & Sons |",
        "| Day | 2024-07-03 |",
        "| Injured | ☒ yes ☐ no |",
        "| Cause | Hail |",
        "| Report | A tree fell. |",
        "| Secret |  |",
        "End.",
    ]


@pytest.mark.parametrize("tag", ["form", "header", "nav", "FORM class='x'"])
def test_what_stands_in_a_part_of_a_page_is_read_whatever_the_part_is_called(parser: LocalParser, tag: str) -> None:
    name = tag.partition(" ")[0]
    inner = "<p>Policy HH-7730</p><table><tr><td>Hail</td><td>19</td></tr></table>"
    page = f"<html><head><title>T</title></head><body><p>Before.</p><{tag}>{inner}</{name}></body></html>"

    text = parse(parser, page.encode(), FileType.HTML).text

    assert text == "Before.\n\nPolicy HH-7730\n\n| Hail | 19 |\n| --- | --- |"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("repeated", ["<input", '<input value="', "<select>", "<option ", "<input '\"", "value="])
def test_hostile_forms_take_linear_time(repeated: str) -> None:
    assert as_shown("fire " + repeated * 200_000).startswith("fire")
