import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.text.normalisation import printable

HOSTILE = st.text(
    st.sampled_from("a[]0;m\n\t\x00\x07\x1b\\\x90\x9b\x9c\x9d\x9f\u202e\u2066\ud800\U000e0041?1hc ("), max_size=60
)
ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b2Jcleared", "cleared"),
        ("\x1b]0;title\x07named", "named"),
        ("\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]52;c;Y29weQ==\x07copied", "copied"),
        ("\x1bP+q544e\x1b\\answered", "answered"),
        ("\x1bcreset", "reset"),
        ("\x1b]0;never ended", "0;never ended"),
        ("over\rwritten\x08\x08", "overwritten"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("lone\ud800", "lone\ufffd"),
        (
            "[bold]no markup[/bold] :boom: Größe 👩\u200d⚕️\n\tمرحبا",
            "[bold]no markup[/bold] :boom: Größe 👩\u200d⚕️\n\tمرحبا",
        ),
    ],
)
def test_what_would_act_on_a_terminal_is_not_shown(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text() | HOSTILE)
def test_nothing_that_acts_is_left_of_any_text(text: str) -> None:
    shown = printable(text)
    assert not ACTS.search(shown)
    assert printable(shown) == shown
    shown.encode()


@given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"])))
def test_a_text_without_control_characters_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize("text", ["\x1b[" * 100_000, "\x1b]" * 100_000, "\x9d0;" * 70_000, "\x1b[0;" + "1;" * 100_000])
def test_long_hostile_texts_take_no_longer_than_others(text: str) -> None:
    """What takes quadratic time takes minutes here, and the test's time limit ends it."""
    assert not ACTS.search(printable(text))
