"""Real files, damaged in ways that keep them interesting: the same seed gives the same damage."""

from collections.abc import Callable, Sequence
from io import BytesIO
from random import Random
from zipfile import ZipFile

from ingest_assets_tests.sample_files import zipped

LONGEST_SPLICE = 4096
INTERESTING = (
    b"\x00",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"-1",
    b"99999999999",
    b"<",
    b"<<",
    b"[",
    b"(",
)


def flip(content: bytes, random: Random, _others: Sequence[bytes]) -> bytes:
    changed = bytearray(content)
    for _ in range(random.choice((1, 3, max(1, len(content) // 1000)))):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def truncate(content: bytes, random: Random, _others: Sequence[bytes]) -> bytes:
    return content[: random.randrange(len(content))]


def splice(content: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    """A part of another file in place of, or between, its own bytes."""
    other = random.choice(others)
    start, at = random.randrange(len(other)), random.randrange(len(content))
    part = other[start : start + random.randrange(1, LONGEST_SPLICE)]
    return content[:at] + part + content[at + random.choice((0, len(part))) :]


def repeat(content: bytes, random: Random, _others: Sequence[bytes]) -> bytes:
    start = random.randrange(len(content))
    part = content[start : start + random.randrange(1, LONGEST_SPLICE)]
    return content[:start] + part * random.randrange(2, 50) + content[start:]


def overwrite(content: bytes, random: Random, _others: Sequence[bytes]) -> bytes:
    """With values that programs count, or open something, with."""
    at, value = random.randrange(len(content)), random.choice(INTERESTING)
    return content[:at] + value + content[at + len(value) :]


MUTATIONS: Sequence[Callable[[bytes, Random, Sequence[bytes]], bytes]] = (flip, truncate, splice, repeat, overwrite)


def mutated(content: bytes, seed: str, others: Sequence[bytes]) -> bytes:
    """Of a package, as often as not, one part is changed and packed again: else, only unpacking would be tried."""
    random = Random(seed)  # noqa: S311
    if content.startswith(b"PK") and random.random() < 0.5:
        with ZipFile(BytesIO(content)) as package:
            parts = {name: package.read(name) for name in package.namelist()}
        changed = random.choice([name for name, part in parts.items() if part])
        return zipped({**parts, changed: random.choice(MUTATIONS)(parts[changed], random, others)})
    return random.choice(MUTATIONS)(content, random, others)
