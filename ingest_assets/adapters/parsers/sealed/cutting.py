"""Cut a large text into chunks, away from the process that holds documents by leases."""

import json
from collections.abc import Iterable

from ingest_assets.adapters.parsers.sealed.frames import CUT
from ingest_assets.domain.text.chunking import ChunkingSettings, cut_text


def cut(content: bytes, settings: dict[str, int], page_starts: Iterable[int] = ()) -> tuple[int, bytes]:
    """Return how many chunks a text has and where they are; each heading path stands there once."""
    paths: dict[tuple[str, ...], int] = {}
    cuts = [
        CUT.pack(*each[:-1], paths.setdefault(each.heading_path, len(paths)))
        for each in cut_text(content.decode(), ChunkingSettings(**settings), page_starts)
    ]
    lines = (json.dumps(path, ensure_ascii=False).encode() + b"\n" for path in paths)
    return len(cuts), b"".join([*cuts, *lines])
