"""What may stand between a client and the database server."""

from enum import StrEnum


class Pooling(StrEnum):
    """How a pooler gives its clients the server's sessions."""

    NONE = "none"
    SESSION = "session"
    TRANSACTION = "transaction"
