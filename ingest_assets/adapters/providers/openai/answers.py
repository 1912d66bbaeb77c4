"""Turn the provider's answer into vectors or an error: nothing in it is taken on trust."""

import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest_assets.adapters.providers.openai.failures import NAME
from ingest_assets.domain.documents.document import VECTOR_DIMENSIONS, Vectors
from ingest_assets.domain.errors import PermanentError, TransientError

Answer = Mapping[str, Any]


def read_answer(content: bytes) -> Answer:
    """Return the answer, or an empty one if the content is not a JSON object."""
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def used_tokens(answer: Answer) -> int | None:
    """Return the tokens that were used, or None if the provider does not say."""
    usage = answer.get("usage")
    tokens = usage.get("total_tokens") if isinstance(usage, dict) else None
    return tokens if type(tokens) is int and tokens >= 0 else None


def read_vectors(answer: Answer, expected: int, dimensions: int | None) -> Vectors:
    """Return unit vectors of shape (expected, VECTOR_DIMENSIONS).

    Shorter vectors are padded with zeros, which changes no cosine.

    Raises:
        PermanentError: dimensions_unsupported.
        TransientError: service_garbled or vectors_invalid.
    """
    data = answer.get("data")
    if not isinstance(data, list):
        raise TransientError("service_garbled", name=NAME)
    rows = [_vector(entry) for entry in _in_order(data, expected)]
    found = {len(row) for row in rows}
    if dimensions is None and len(found) == 1 and max(found) > VECTOR_DIMENSIONS:
        raise PermanentError("dimensions_unsupported", found=max(found), limit=VECTOR_DIMENSIONS)
    length = dimensions or max(found)
    usable = sum(len(row) == length and _has_direction(row) for row in rows)
    if usable < expected or len(found) != 1:
        raise TransientError("vectors_invalid", found=usable, expected=expected)
    return _padded(_unit(np.stack(rows)))


def _in_order(data: Sequence[object], expected: int) -> list[dict[str, Any]]:
    entries = {entry["index"]: entry for entry in data if isinstance(entry, dict) and type(entry.get("index")) is int}
    indices = entries.keys() & set(range(expected))
    if not len(data) == len(entries) == len(indices) == expected:
        raise TransientError("vectors_invalid", found=len(indices), expected=expected)
    return [entries[index] for index in range(expected)]


def _vector(entry: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return the vector, or an empty one if it cannot be read."""
    embedding = entry.get("embedding")
    try:
        if isinstance(embedding, str):
            return np.frombuffer(b64decode(embedding, validate=True), "<f4").astype(np.float64)
        vector = np.asarray(embedding, np.float64)
    except (TypeError, ValueError, OverflowError):
        return np.empty(0)
    return vector if vector.ndim == 1 else np.empty(0)


def _has_direction(vector: NDArray[np.float64]) -> bool:
    """Return whether the vector has a cosine; a zero or non-finite one has none."""
    return bool(np.isfinite(vector).all() and vector.any())


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    scaled = vectors / np.abs(vectors).max(axis=1, keepdims=True)  # prevents an overflow when squaring
    unit: NDArray[np.float64] = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
    return unit


def _padded(vectors: NDArray[np.float64]) -> Vectors:
    count, dimensions = vectors.shape
    stored = np.zeros((count, VECTOR_DIMENSIONS), np.float32)
    stored[:, :dimensions] = vectors
    return stored
