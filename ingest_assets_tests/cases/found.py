"""A file handed in, and what searches find of it."""

from pathlib import Path

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.search.hits import Hit
from ingest_assets_tests.documents import ingest

FILES = Path(__file__).parent / "files"


class Found:
    """A document that was handed in and worked off."""

    def __init__(self, deployment: Deployment, user: UserId, name: str, content: bytes | None = None) -> None:
        self._deployment, self._user = deployment, user
        self.document = ingest(deployment, user, content or (FILES / name).read_bytes(), name)

    def passage(self, words: str) -> str:
        """Return the passages of this document that a search for the words finds, first the best; "" if none."""
        return "\n".join(hit.text for hit in self._hits(words))

    def page(self, words: str) -> int | None:
        """Return the page of the best passage."""
        hits = self._hits(words)
        return hits[0].page if hits else None

    def _hits(self, words: str) -> list[Hit]:
        hits = self._deployment.search.passages(self._user, words, 10)
        return [hit for hit in hits if hit.document_id == self.document]
