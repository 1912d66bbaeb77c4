"""Searching on a read replica of the database, and in the database itself while the replica is of no use.

The replica finds; what was found is shown as the database has it, so that nothing is shown that was deleted meanwhile.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from ingest_assets.domain.documents.document import ChunkId, DocumentId, Producer, UserId, Vectors
from ingest_assets.domain.documents.metadata import Condition
from ingest_assets.domain.errors import IngestError, OutageError
from ingest_assets.domain.facts import ErrorPassedOver
from ingest_assets.domain.search.hits import Hit
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.observing import Observer
from ingest_assets.pipeline.ports.searching import Documents, SearchIndex

Answer = TypeVar("Answer")
LEFT_ALONE_SECONDS = 30.0
"""How long a replica that is away is not asked again: each try costs a search its patience."""
OF_THE_REPLICA = ("database_failed", "schema_newer")
"""Codes, besides outages, of what may work in the database itself: replicas cancel what is in the way of changes."""


class ReplicatedSearchIndex:
    """Asks the replica first.

    Args:
        replica: The index on the replica.
        index: The index in the database.
        clock: Tells for how long a replica has been left alone.
        observer: Is told when the replica was of no use.
    """

    def __init__(self, replica: SearchIndex, index: SearchIndex, clock: Clock, observer: Observer) -> None:
        self._replica = replica
        self._index = index
        self._clock = clock
        self._observer = observer
        self._away_until = 0.0

    def documents_that_meet(self, user_id: UserId, conditions: Sequence[Condition]) -> list[DocumentId]:
        return self._asked(lambda index: index.documents_that_meet(user_id, conditions))

    def nearest(
        self, user_id: UserId, vector: Vectors, model: Producer, limit: int, documents: Documents = None
    ) -> list[ChunkId]:
        return self._asked(lambda index: index.nearest(user_id, vector, model, limit, documents))

    def matching(self, user_id: UserId, query_text: str, limit: int, documents: Documents = None) -> list[ChunkId]:
        return self._asked(lambda index: index.matching(user_id, query_text, limit, documents))

    def numbered(self, user_id: UserId, query_text: str, limit: int, documents: Documents = None) -> dict[ChunkId, int]:
        return self._asked(lambda index: index.numbered(user_id, query_text, limit, documents))

    def hits(self, user_id: UserId, chunk_ids: Sequence[ChunkId]) -> list[Hit]:
        try:
            return self._index.hits(user_id, chunk_ids)
        except OutageError as error:
            self._observer.observe(ErrorPassedOver("showing what was found as the database has it", error))
        return self._asked(lambda index: index.hits(user_id, chunk_ids))

    def _asked(self, question: Callable[[SearchIndex], Answer]) -> Answer:
        if self._clock.seconds() >= self._away_until:
            try:
                return question(self._replica)
            except IngestError as error:
                if not isinstance(error, OutageError) and error.code not in OF_THE_REPLICA:
                    raise
                if isinstance(error, OutageError):
                    self._away_until = self._clock.seconds() + LEFT_ALONE_SECONDS
                self._observer.observe(ErrorPassedOver("searching on the read replica", error))
        return question(self._index)
