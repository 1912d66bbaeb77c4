"""Which encoding a text without a mark is in, if it is neither UTF-8 nor Western: what old systems export."""

import re

SAMPLE = 1 << 16
BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
RUN = re.compile(rb"[\x80-\xff]{4,}")
SHORTEST_FOREIGN_TEXT = 12
"""In bytes of runs that no Western word has; what is shorter may be anything."""
LATIN = (
    # DOS: umlauts where Windows has quotes and dashes, or nothing
    (
        "cp850",
        re.compile(rb"[A-Za-z][\x81\x84\x94][a-z]|\b[\x81\x8e\x99][a-z]"),
        b"\x81\x82\x84\x85\x87\x8a\x8e\x94\x99\x9a\xe1\xf5",
    ),
    # Excel for the Mac
    (
        "mac_roman",
        re.compile(rb"[A-Za-z][\x9f\xa7][a-z]|[a-z]\x8a[a-z]"),
        b"\x80\x85\x86\x8a\x8e\x9a\x9f\xa4\xa7\xd0\xd1\xd2\xd3\xdb\xe3",
    ),
    # Central Europe: letters where Windows has signs, which stand within no word
    ("iso8859-2", re.compile(rb"[A-Za-z\xe6\xea\xf3][\xb1\xb6\xbc][a-z]|\s[\xb6\xac][a-z\xf3]{3}"), None),
    ("cp1250", re.compile(rb"[A-Za-z\xe6\xea\xf3][\xb3\xbf\xb9][a-z\xea\xf3]"), None),
)
"""Encodings with what gives them away, and the bytes beyond ASCII that their texts have, if only these."""
FOREIGN = ("cp1251", "cp1253", "cp1255", "cp1256", "koi8_r", "cp866", "cp932", "gb18030", "big5", "cp949")


def other_encoding(content: bytes) -> str | None:
    """Return the name of the encoding of a text that is implausible in Windows-1252, or None if it is plausible."""
    sample = content[:SAMPLE]
    beyond = b"".join(BEYOND_ASCII.findall(sample))
    for name, sign, letters in LATIN:
        if sign.search(sample) and (letters is None or not beyond.translate(None, letters)):
            return name
    runs = sum(map(len, RUN.findall(sample)))
    return _foreign_encoding(sample) if runs >= SHORTEST_FOREIGN_TEXT and runs * 2 > len(beyond) else None


def _foreign_encoding(sample: bytes) -> str | None:
    from charset_normalizer import from_bytes  # noqa: PLC0415  (few texts need it)

    lines = sample if len(sample) < SAMPLE else sample[: sample.rfind(b"\n") + 1] or sample
    found = from_bytes(lines, cp_isolation=list(FOREIGN)).best()
    return None if found is None else found.encoding
