"""Texts of old systems and other countries are read in the encoding that they are in."""

import pytest

from ingest_assets.domain.text.normalisation import decode

GERMAN = "Schäden in Köln: Größe und Übung für Müller"
POLISH = "Ubezpieczenie Łódź świadczenie żółć, umowa główna"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "cp850"),
        ("Nr;Name\r\n1;Müller\r\n", "cp437"),
        (GERMAN.replace(" ", "\r"), "mac_roman"),
        (POLISH, "iso8859-2"),
        (POLISH, "cp1250"),
        ("Страховой полис Иванова номер", "cp1251"),
        ("Страховой полис Иванова номер", "koi8_r"),
        ("Ασφαλιστήριο συμβόλαιο", "cp1253"),
        ("保険契約の内容を確認してください。証券番号", "shift_jis"),
        ("保险合同号码请确认理赔申请", "gb18030"),
        ("보험 계약 번호 확인 청구서", "euc_kr"),
    ],
)
def test_a_text_of_another_encoding_is_read_as_it_was_written(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    "text",
    [
        "Müller 12,50 € für Köln „Zitat“ – naïve Ærø",
        "Straße",
        "ÄÖÜß",
        "Crème brûlée à Orléans, Noël, l’été",
        "Ñandú ¿Qué? ¡No!",
        "São João coração",
        "Škoda žába",
        "50 m³ je 2½ h, ±5 °C, §5a",
        "“quoted”text…",
        "GRÖßE Übergröße Mörtel",
        "AT&T® Œuvre",
        "Købmagergade Åse",
        "Þórður í Reykjavík",
    ],
)
def test_western_texts_stay_what_they_are(text: str) -> None:
    assert decode(text.encode("cp1252")) == text


@pytest.mark.timeout(20)
@pytest.mark.parametrize("repeated", [b"a\x81", b"\xe4\xe4\xe4\xe4 ", b"\x81\x9f", b"\xb3a", b"\xff\xfe\xfd\xfc\x81"])
def test_hostile_bytes_are_decoded_or_not_in_linear_time(repeated: bytes) -> None:
    decode(repeated * 1_000_000)
