"""Count tokens as OpenAI's embedding models do, without a network."""

import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiktoken import Encoding


def count_tokens(text: str) -> int:
    return len(cl100k_base().encode_ordinary(text))


@cache
def cl100k_base() -> "Encoding":
    import tiktoken  # noqa: PLC0415  only deployments that use OpenAI load it

    folder = _shipped_encodings()
    if folder is not None:
        os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(folder))
    return tiktoken.get_encoding("cl100k_base")


def _shipped_encodings() -> Path | None:
    """Return the folder of encodings in llama-index-core, found without importing it; tiktoken would download them."""
    package = find_spec("llama_index")
    places = package.submodule_search_locations if package is not None else None
    folders = (Path(place) / "core" / "_static" / "tiktoken_cache" for place in places or [])
    return next((folder for folder in folders if folder.is_dir()), None)
