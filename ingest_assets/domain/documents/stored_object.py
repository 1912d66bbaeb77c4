"""What a listing of the object store tells of an object."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StoredObject:
    key: str
    byte_size: int
    written_at: datetime
    """When it was last written, by the store's clock."""
    whole: bool = True
    """False for what a writer has not finished; a killed one never will."""
