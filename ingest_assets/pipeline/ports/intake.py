"""What intake needs of a file system."""

from typing import Protocol


class FileSystem(Protocol):
    def is_gone(self, path: str) -> bool:
        """Whether there certainly is no such file; what cannot be looked at may be there."""

    def device_at(self, path: str) -> int:
        """The file system on which a file at this path lies, or would lie."""
