"""Text as a vector without a model: signed feature hashing (Weinberger et al., 2009) of words and pairs of words.

Up to the division by the length all numbers are integers that float64 holds exactly. So the order in which a machine
adds them does not matter, and the same text gives the same bits everywhere.
"""

from collections.abc import Sequence
from hashlib import blake2b
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from ingest_assets.domain.documents.document import VECTOR_DIMENSIONS, Vectors

Hashes = NDArray[np.uint64]
Numbers = NDArray[np.float64]

TERM_WEIGHT, PAIR_WEIGHT, COMMON_WEIGHT = 4, 3, 1
"""A pair of common terms weighs no more than a common term."""

COUNT_STEPS = 64
"""A feature's count weighs 1 + ln(count), in steps of this fraction of one."""

BLOCK_TEXTS = 64
"""How many vectors are made at once, so that intermediate arrays stay in the processor's cache."""

_HASH_BITS = 48
_PAIR_FIRST, _PAIR_MIXED = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)
_COMMON = np.uint64(1)


def term_hash(term: str, *, common: bool) -> int:
    """Return 48 bits, of which the lowest is set for a common term."""
    digest = int.from_bytes(blake2b(term.encode(), digest_size=_HASH_BITS // 8).digest(), "little")
    return digest | 1 if common else digest & ~1


def embed_terms(texts: Sequence[Sequence[int]]) -> Vectors:
    """Return a unit vector per text, shape (texts, VECTOR_DIMENSIONS); all texts without terms share one vector.

    Args:
        texts: Each the hashes of its terms, in order.
    """
    blocks = [_embed_block(texts[first : first + BLOCK_TEXTS]) for first in range(0, len(texts), BLOCK_TEXTS)]
    vectors: Vectors = np.concatenate([np.empty((0, VECTOR_DIMENSIONS), np.float32), *blocks])
    return vectors


def count_weights(counts: NDArray[np.intp]) -> Numbers:
    """Return the weights of counts as whole numbers.

    Logarithms that differ in their last bits between machines are rounded to the same number.
    """
    weights: Numbers = np.rint(COUNT_STEPS * (1 + np.log(counts)))
    return weights


def rotate(vectors: Numbers) -> Numbers:
    """Turn vectors by one orthogonal matrix times ROTATION_SCALE, so that all coordinates say a little of everything.

    A short text has few coordinates other than zero, and an index that knows only signs could not tell it from another.
    """
    turned = _LEFT @ vectors.reshape(-1, len(_LEFT), len(_RIGHT)) @ _RIGHT
    return turned.reshape(vectors.shape)


def _hadamard(doublings: int) -> Numbers:
    matrix: Numbers = np.ones((1, 1))
    for _ in range(doublings):
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix


_REFLECTION = 2 * np.ones((3, 3)) - 3 * np.eye(3)
_LEFT, _RIGHT = np.kron(_REFLECTION, _hadamard(4)), _hadamard(5)
ROTATION_SCALE = float(np.sqrt(3 * VECTOR_DIMENSIONS))


def _embed_block(texts: Sequence[Sequence[int]]) -> Vectors:
    vectors = _sum_features(texts)
    squares = np.einsum("ij,ij->i", vectors, vectors)
    empty = squares == 0
    vectors[empty, 0] = squares[empty] = 1
    # Adding zero makes a negative zero positive: which of the two comes out depends on the machine.
    unit: Numbers = rotate(vectors) / (ROTATION_SCALE * np.sqrt(squares))[:, None] + 0.0
    return unit.astype(np.float32)


def _sum_features(texts: Sequence[Sequence[int]]) -> Numbers:
    """Return the weighted features of each text as whole numbers, shape (texts, VECTOR_DIMENSIONS)."""
    owners = np.repeat(np.arange(len(texts), dtype=np.uint64), [len(text) for text in texts])
    hashes = np.fromiter(chain.from_iterable(texts), np.uint64, len(owners))
    neighbours = owners[:-1] == owners[1:]
    pairs = _pair_hashes(hashes[:-1][neighbours], hashes[1:][neighbours])
    summed = np.zeros(len(texts) * VECTOR_DIMENSIONS)
    _add(summed, owners, hashes, TERM_WEIGHT)
    _add(summed, owners[:-1][neighbours], pairs, PAIR_WEIGHT)
    return summed.reshape(len(texts), VECTOR_DIMENSIONS)


def _pair_hashes(first: Hashes, second: Hashes) -> Hashes:
    mixed = first * _PAIR_FIRST + second
    mixed = (mixed ^ mixed >> np.uint64(32)) * _PAIR_MIXED >> np.uint64(64 - _HASH_BITS)
    return mixed & ~_COMMON | first & second & _COMMON


def _add(summed: Numbers, owners: Hashes, hashes: Hashes, weight: int) -> None:
    found, counts = np.unique(owners << _HASH_BITS | hashes, return_counts=True)
    rows, features = found >> _HASH_BITS, found & ((1 << _HASH_BITS) - 1)
    weights = np.where(features & _COMMON, COMMON_WEIGHT, weight)
    signs = 1.0 - (features & 2)
    positions = rows * VECTOR_DIMENSIONS + (features >> 2) % VECTOR_DIMENSIONS
    np.add.at(summed, positions.astype(np.intp), signs * weights * count_weights(counts))
