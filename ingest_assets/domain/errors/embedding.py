"""What can go wrong while a text is cut into chunks and embedded."""

from ingest_assets.domain.errors.error import PermanentError, Problem, TransientError
from ingest_assets.domain.errors.providers import PROVIDER_RETRIES

PROBLEMS = {
    "chunks_missing": Problem(
        PermanentError,
        "The document's text gave no chunks.",
        "Check that the document contains words, then submit it again.",
    ),
    "upstream_missing": Problem(
        PermanentError,
        "The step before this one has stored nothing for this document.",
        "Materialize the asset together with those upstream of it.",
    ),
    "vectors_invalid": Problem(
        TransientError,
        "The embedder returned {found} usable vectors for {expected} texts.",
        "Check the embedding model; the texts are tried again.",
        retries=PROVIDER_RETRIES,
    ),
    "text_too_long": Problem(
        PermanentError,
        "A text to embed has {found} tokens; the model takes {limit}.",
        "Lower INGEST_CHUNK_CHARACTERS, or shorten the query.",
    ),
    "dimensions_unsupported": Problem(
        PermanentError,
        "The embedding model's vectors have {found} dimensions; at most {limit} can be stored.",
        "Choose a model with fewer dimensions, or one that can be asked for fewer.",
    ),
}
