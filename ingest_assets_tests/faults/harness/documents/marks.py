"""Texts whose every passage carries a mark, so that a reader sees which parts of which version it has found."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from ingest_assets_tests.sample_files import pdf

MARK = re.compile(r"\bdoc(\d+)ver(\d+)part(\d+)of(\d+)\b", re.IGNORECASE)
VOCABULARY = (
    "policy deductible insurer premium claim water storm theft liability vehicle surgeon invoice benefit rider clause "
    "exclusion adjuster coverage appraisal beneficiary endorsement indemnity peril subrogation underwriter annuity"
)
WORDS = VOCABULARY.split()
LINES_PER_PART = 4
WORDS_PER_LINE = 9
KINDS = ("md", "md", "pdf", "eml")
"""By extension: plain text, a paid parser, the local parser."""


@dataclass(frozen=True, slots=True)
class Mark:
    document: int
    version: int
    part: int
    parts: int

    def __str__(self) -> str:
        return f"doc{self.document}ver{self.version}part{self.part}of{self.parts}"


def marks_in(texts: Iterable[str]) -> set[Mark]:
    return {Mark(*map(int, found.groups())) for text in texts for found in MARK.finditer(text)}


def is_whole(marks: set[Mark]) -> bool:
    """Return whether these are all parts of one version of one document."""
    versions = {(mark.document, mark.version, mark.parts) for mark in marks}
    return len(versions) == 1 and len(marks) == next(iter(versions))[2]


def content(kind: str, document: int, version: int, *, extra: str = "") -> bytes:
    """Return a file's content; the same arguments give the same content."""
    chance = Random(f"{document} {version}")  # noqa: S311  a text from a seed
    parts = chance.randint(2, 7)
    texts = [_part(Mark(document, version, number, parts), chance, extra) for number in range(1, parts + 1)]
    match kind:
        case "pdf":
            return pdf(*("\n".join(lines) for lines in texts))
        case "eml":
            body = "\n\n".join("\n".join(lines) for lines in texts)
            return f"From: a@example.com\nSubject: Claim {document}\nContent-Type: text/plain\n\n{body}\n".encode()
        case _:
            sections = [f"## Part {number}\n\n" + "\n".join(lines) for number, lines in enumerate(texts, start=1)]
            return "\n\n".join([f"# Policy {document}", *sections, ""]).encode()


def _part(mark: Mark, chance: Random, extra: str) -> list[str]:
    return [
        " ".join(filter(None, [str(mark), *chance.choices(WORDS, k=WORDS_PER_LINE), extra])) + "."
        for _ in range(LINES_PER_PART)
    ]
