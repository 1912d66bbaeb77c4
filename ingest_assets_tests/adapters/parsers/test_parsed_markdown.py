"""What becomes of the tools' output on its way to the chunker."""

import pytest

from ingest_assets.adapters.parsers.sealed.markdown import clean
from ingest_assets.adapters.parsers.sealed.recovery import recover
from ingest_assets.domain.text.embedded_data import without_embedded_data

PARAGRAPH = "The policy covers damage by fire and lightning within the insured building."
BOX = "Theft is covered up to ten thousand euros\nwhere doors were locked at night"


@pytest.mark.parametrize(
    ("markdown", "cleaned"),
    [
        (r"Welcome\! \<b\> 50\% \& a\_b C:\\new\*", r"Welcome! <b> 50% & a_b C:\new*"),
        (r"| a \| b | c\! |", r"| a \| b | c! |"),
        (r"\# of visits \# 3", r"\# of visits # 3"),
        (r"1\. first", "1. first"),
        (r"use `a\!b` here\!", r"use `a\!b` here!"),
        ("```\na\\!b\n```\nc\\!", "```\na\\!b\n```\nc!"),
        ("See ![A chart](media/image1.png) and ![](x.png)here", "See A chart and here"),
        (r"\![image.png](../media/image1.png)![Roof after hail](a.jpg)", "Roof after hail"),
        ("Covered: \uf0b7 Fire \uf0b7 Flood", "Covered:\n- Fire\n- Flood"),
        ("\uf0b7 Fire \uf0a7 Flood", "- Fire\n- Flood"),
        ("\n\n# Title\n\n", "# Title"),
    ],
)
def test_markdown_loses_what_stands_in_a_search_s_way(markdown: str, cleaned: str) -> None:
    assert clean(markdown) == cleaned


@pytest.mark.timeout(20)
@pytest.mark.parametrize("repeated", ["`", "\\", "![", "![a](", "[", " ", "\uf0b7", "data:", "data:;base64,"])
def test_cleaning_takes_linear_time(repeated: str) -> None:
    hostile = repeated * 200_000 + "."

    assert clean(hostile).endswith(".")
    assert without_embedded_data(hostile).endswith(".")


def test_lines_that_the_markdown_lacks_are_appended_to_their_page() -> None:
    pages = recover(["# Fire", PARAGRAPH], ["Fire", f"{PARAGRAPH}\n{BOX}"])

    assert pages == ["# Fire", f"{PARAGRAPH}\n\n{BOX}"]


def test_nothing_is_appended_where_nothing_is_lost() -> None:
    marked = "# Cover\n\n**The policy covers** damage by *fire and lightning* within the\n\n| insured | building. |"

    assert recover([marked], [f"Cover\n{PARAGRAPH}"]) == [marked]


def test_a_page_that_markdown_lacks_altogether_is_recovered() -> None:
    assert recover([""], [BOX]) == [BOX]


def test_a_few_lost_words_are_page_numbers_and_the_like() -> None:
    assert recover([PARAGRAPH], [f"{PARAGRAPH}\nPage 3 of 17"]) == [PARAGRAPH]


def test_running_heads_stay_out() -> None:
    head = "General conditions of the household insurance, edition of January"
    pages = [f"Clause {number} covers damage by water of every kind." for number in range(4)]

    assert recover(pages, [f"{head} {number}\n{page}" for number, page in enumerate(pages)]) == pages
