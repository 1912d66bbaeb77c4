"""How code inside the worker refuses a file; the parent turns it into an error of the catalogue."""


class RefusedError(Exception):
    def __init__(self, code: str, *, pages: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.pages = pages
        """The number of pages, if there are too many."""
