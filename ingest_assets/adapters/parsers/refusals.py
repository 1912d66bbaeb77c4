"""How code inside the worker says no; the parent turns it into the catalogue's error."""


class RefusedError(Exception):
    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts
