"""Documents that cannot land until somebody removes the cause: four causes, each with the code that names it."""

from collections.abc import Callable
from dataclasses import dataclass

from ingest_assets_tests.faults.harness.documents.marks import content
from ingest_assets_tests.sample_files import pdf, scanned_pdf

REFUSED_WORD = "unutterable"
"""The embedding service refuses texts with this word for as long as it is told to."""


@dataclass(frozen=True, slots=True)
class Poison:
    name: str
    kind: str
    """The file's extension."""
    codes: frozenset[str]
    """The reasons that are true."""
    make: Callable[[int], bytes]
    in_service: bool = False
    """Whether the cause is with the service; else it is in the file."""

    def repaired(self, document: int) -> bytes:
        """Return the file without its cause."""
        return self.make(document) if self.in_service else content(self.kind, document, 2)


POISONS = (
    Poison("corrupt", "pdf", frozenset({"corrupt"}), lambda document: b"%%PDF-1.4 truncated %d" % document),
    Poison(
        "encrypted",
        "pdf",
        frozenset({"encrypted"}),
        lambda document: pdf(f"Policy {document}", user_password=f"secret {document}"),
    ),
    Poison(
        "no text", "pdf", frozenset({"needs_ocr", "empty_output"}), lambda document: scanned_pdf() + b"%%%d" % document
    ),
    Poison(
        "refused by the service",
        "md",
        frozenset({"service_refused"}),
        lambda document: content("md", document, 1, extra=REFUSED_WORD),
        in_service=True,
    ),
)
