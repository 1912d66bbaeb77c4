"""Which languages can be recognised on this machine."""

from pathlib import Path

import pytest

from ingest_assets.posix.ocr_languages import folder_of
from ingest_assets.settings import Settings


def folder(parent: Path, name: str, *languages: str) -> Path:
    made = parent / name
    made.mkdir()
    for language in (*languages, "osd"):
        (made / f"{language}.traineddata").touch()
    return made


def test_the_packages_bring_english_and_german() -> None:
    assert (folder_of(["eng", "deu"]) / "deu.traineddata").is_file()


def test_the_first_folder_that_has_all_the_languages_is_used(tmp_path: Path) -> None:
    ours, system = folder(tmp_path, "ours", "eng", "deu"), folder(tmp_path, "system", "eng", "fra")

    assert folder_of(["eng"], [ours, system]) == ours
    assert folder_of(["eng", "fra"], [ours, system]) == system


def test_an_unknown_language_is_refused_with_what_there_is(tmp_path: Path) -> None:
    folders = [folder(tmp_path, "ours", "deu", "eng"), folder(tmp_path, "system", "fra"), tmp_path / "absent"]

    with pytest.raises(LookupError, match=r"eng and fra: .*ours has deu, eng; .*system has fra"):
        folder_of(["eng", "fra"], folders)


def test_the_setting_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGEST_OCR_LANGUAGES", "eng,tlh")

    with pytest.raises(ValueError, match=r"eng and tlh: .* has deu, eng"):
        Settings()


@pytest.mark.parametrize(
    ("setting", "languages"),
    [("", ("eng",)), ("eng, deu", ("eng", "deu")), ("deu+eng", ("deu", "eng")), ("eng,eng", ("eng",)), ("none", ())],
)
def test_languages_are_separated_by_commas(
    monkeypatch: pytest.MonkeyPatch, setting: str, languages: tuple[str, ...]
) -> None:
    monkeypatch.setenv("INGEST_OCR_LANGUAGES", setting)

    assert Settings().ocr_languages == languages
