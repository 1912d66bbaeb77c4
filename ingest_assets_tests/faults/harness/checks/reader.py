"""Somebody who reads all the time, as several users, and notices what is half, mixed or older than before."""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, cast
from uuid import UUID

import numpy as np
import psycopg
from pydantic import SecretStr

from ingest_assets.adapters.providers.openai.models import OpenAISettings
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Producer, UserId, Vectors
from ingest_assets.domain.errors import IngestError
from ingest_assets.pipeline.search import Search
from ingest_assets.settings import Settings
from ingest_assets_tests.emulators.openai import model_vectors
from ingest_assets_tests.faults.harness.deployment.patient import Clients
from ingest_assets_tests.faults.harness.documents.library import USERS
from ingest_assets_tests.faults.harness.documents.marks import WORDS, is_whole, marks_in

PAUSE_SECONDS = 0.4
SEARCHED = 30
LOOKED_AT = 40
"""How many of a user's documents one look covers."""

BECOME = "SELECT set_config('role', 'ingest_reader', true), set_config('app.user_id', %(user)s, true)"
LOOK = """
SELECT document_id, array_agg(text) AS texts
FROM upload_pipeline.document_chunks
WHERE document_id = ANY(%(ids)s)
GROUP BY document_id"""


class FreeEmbedder:
    """Embeds queries as the emulated service embeds texts, without its books."""

    model: Producer = OpenAISettings().producer

    def embed_query(self, query: str, user_id: UserId) -> Vectors:  # noqa: ARG002  nobody pays
        return cast("Vectors", np.asarray(model_vectors([query], 1536)[0]))


@dataclass
class Reader:
    patient: Clients
    seed: int
    reads: int = 0
    failures: int = 0
    """Reads that found no database."""
    answered_at: list[float] = field(default_factory=lambda: [time.time()])
    """When the reader began, and when each read had its answer, in seconds since 1970."""
    partial: dict[str, str] = field(default_factory=dict)
    """What was half, mixed or went back, once for each document and version."""
    _newest: dict[UUID, int] = field(default_factory=dict)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Reader":
        self._thread = threading.Thread(target=self._read, name="reader", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _read(self) -> None:
        chance = Random(f"reader {self.seed}")  # noqa: S311
        url = SecretStr(self.patient.database.url())
        deployment = Deployment(Settings(home=self.patient.home, database_url=url))
        search = Search(deployment.search_index, cast("Any", FreeEmbedder()))
        try:
            while not self._ended.wait(PAUSE_SECONDS):
                user = chance.choice(USERS)
                try:
                    self._look(user, chance)
                    self._search(search, user, " ".join(chance.sample(WORDS, 3)))
                    self.reads += 1
                    self.answered_at.append(time.time())
                except (psycopg.Error, IngestError):
                    self.failures += 1
        finally:
            with suppress(Exception):
                deployment.close()

    def _look(self, user: UUID, chance: Random) -> None:
        """Look at all passages of some documents, in one snapshot."""
        known = [
            paper.document_id
            for paper in list(self.patient.library.papers)
            if paper.user == user and paper.document_id is not None
        ]
        with self.patient.database.connection() as connection, connection.transaction():
            connection.execute(BECOME, {"user": str(user)})
            ids = chance.sample(known, min(LOOKED_AT, len(known)))
            for row in connection.execute(LOOK, {"ids": ids}).fetchall():
                self._check(row["document_id"], row["texts"])

    def _check(self, document_id: UUID, texts: list[str]) -> None:
        marks = marks_in(texts)
        newest = max((mark.version for mark in marks), default=0)
        if not is_whole(marks):
            shown = ", ".join(sorted(map(str, marks)))
            self.partial[f"{document_id} {newest}"] = f"a reader saw of document {document_id}: {shown}"
        elif newest < self._newest.get(document_id, 0):
            self.partial[f"{document_id} {newest} again"] = f"a reader saw document {document_id} go back to {newest}"
        self._newest[document_id] = max(newest, self._newest.get(document_id, 0))

    def _search(self, search: Search, user: UUID, query: str) -> None:
        versions: dict[UUID, set[int]] = {}
        for hit in search.passages(UserId(user), query, SEARCHED):
            versions.setdefault(hit.document_id, set()).update(mark.version for mark in marks_in([hit.text]))
        for document_id, found in versions.items():
            if len(found) > 1:
                self.partial[f"{document_id} {max(found)}"] = f"one answer had versions {found} of {document_id}"
