"""How code inside the worker says no; the parent turns it into the catalogue's error."""


class RefusedError(Exception):
    def __init__(self, code: str, *, pages: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.pages = pages
        """How many there are, where they are too many."""
