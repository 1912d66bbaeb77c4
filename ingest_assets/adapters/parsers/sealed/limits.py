"""What one document may cost, and how long a worker lives."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ParserLimits:
    seconds: float = 120
    """The limit of wall-clock time and of processor time."""
    memory_mb: int = 2048
    """The limit of a worker's address space."""
    pages: int = 5000
    output_bytes: int = 50_000_000
    ocr_folder: str = ""
    """The folder with Tesseract's language data; nothing is recognised without one."""
    ocr_languages: tuple[str, ...] = ("eng",)
    ocr_pages: int = 500
    """How many pages of one document are recognised at the most; the others count as unread."""
    ocr_seconds: float = 600
    """How long the recognition of one document may take, beyond the time for everything else."""
    workers: int = 2
    """How many documents are parsed at once; further callers wait."""
    recognisers: int = 1
    """The same for documents whose text is recognised."""
    documents_per_worker: int = 500
    resident_mb: int = 512
    """A worker that has grown beyond this is replaced after its document."""

    @property
    def longest(self) -> float:
        """How long a document may take in all, in seconds."""
        return self.seconds + (self.ocr_seconds if self.ocr_folder else 0)
