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
    workers: int = 2
    """How many documents are parsed at once; further callers wait."""
    documents_per_worker: int = 500
    resident_mb: int = 512
    """A worker that has grown beyond this is replaced after its document."""
