import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.files.filenames import LONGEST_NAME, UNNAMED, safe_filename


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("policy.pdf", "policy.pdf"),
        ("/home/someone/policy.pdf", "policy.pdf"),
        ("C:\\Users\\someone\\policy.pdf", "policy.pdf"),
        ("../../etc/passwd", "passwd"),
        ("folder/", "folder"),
        ("  two   words .pdf ", "two words .pdf"),
        ("line\nbreak\tand\x00nul.pdf", "line break andnul.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("zero\u200bwidth\ufeff.pdf", "zerowidth.pdf"),
        ("Mu\u0308ller.pdf", "Müller.pdf"),
        (".hidden", ".hidden"),
    ],
)
def test_a_name_is_a_readable_last_part_of_a_path(name: str, safe: str) -> None:
    assert safe_filename(name) == safe


@pytest.mark.parametrize("name", ["", ".", "..", "/", "../..", " \t\n", "\u202e\u200b", "." * 500])
def test_a_name_of_nothing_is_still_a_name(name: str) -> None:
    assert safe_filename(name) == UNNAMED


def test_a_long_name_keeps_its_extension_and_whole_characters() -> None:
    name = safe_filename("é" * 300 + ".pdf")

    assert name.endswith("é.pdf")
    assert len(name.encode()) <= LONGEST_NAME


def test_a_name_that_the_file_system_could_not_decode_becomes_text() -> None:
    safe_filename(b"caf\xe9.pdf".decode(errors="surrogateescape")).encode()


@given(st.text(alphabet=st.characters(), max_size=400) | st.text(alphabet="./\\ é\u0301\u202e\ud800a", max_size=400))
def test_every_name_becomes_a_safe_one_that_stays_as_it_is(name: str) -> None:
    safe = safe_filename(name)

    assert safe_filename(safe) == safe
    assert safe == unicodedata.normalize("NFC", safe)
    assert 0 < len(safe.encode()) <= LONGEST_NAME
    assert safe not in {".", ".."}
    assert not {"/", "\\"} & set(safe)
    assert not {"Cc", "Cf", "Cs", "Zl", "Zp"} & {unicodedata.category(character) for character in safe}
