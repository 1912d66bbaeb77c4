"""How much is read of a provider's HTTP answer: nothing that is compressed, and nothing without end."""

from collections.abc import Mapping

from ingest_assets.domain.errors import IngestError, TransientError

MOST_BYTES = 128 * 1024 * 1024
"""An answer that is larger is no result of a document that is taken in."""

PLAIN = "identity"
"""The encoding to ask for: of a compressed answer, a few bytes may become gigabytes."""


def is_plain(headers: Mapping[str, str]) -> bool:
    """Return whether an answer is as it was asked for.

    Args:
        headers: The headers by names in any case.
    """
    return headers.get("Content-Encoding", PLAIN).strip().lower() == PLAIN


class Bound:
    """Counts what is read of one answer."""

    def __init__(self, name: str) -> None:
        self._name = name
        """What an error calls the provider."""
        self._left = MOST_BYTES

    def passed(self, part: bytes) -> bytes:
        """Return the next part of the answer.

        Raises:
            TransientError: service_garbled, if the answer is too large.
        """
        self._left -= len(part)
        if self._left < 0:
            raise garbled(self._name)
        return part


def garbled(name: str) -> IngestError:
    """Return the error for an answer that cannot be read; what it answers may have been done all the same."""
    failure = TransientError("service_garbled", name=name)
    failure.may_have_cost = True
    return failure
