"""Every way this system can say no: a stable code, what happened, and what to do about it.

Messages are fixed sentences with numbers and identifiers filled in. Nothing from a document, a file name or another
exception's text enters them, so an error may be shown, logged and stored anywhere. Hints do not name commands or
routes, because Dagster's page and the database show them too: the command line and the HTTP service add their own.
"""

from ingest_assets.domain.errors import deployment, embedding, files, parsing, providers, queue, requests
from ingest_assets.domain.errors.error import (
    CATALOGUE,
    IngestError,
    OutageError,
    PermanentError,
    Problem,
    ResourceError,
    TransientError,
)

__all__ = ["CATALOGUE", "IngestError", "OutageError", "PermanentError", "Problem", "ResourceError", "TransientError"]

for _subject in (files, parsing, embedding, providers, queue, requests, deployment):
    CATALOGUE.update(_subject.PROBLEMS)
