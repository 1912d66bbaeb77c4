"""Reads a folder's files with another tool, in that tool's own environment, which has nothing of this project.

PEER_PYTHON benchmarks/quality/peer.py markitdown|extractous FOLDER: each file's text goes beside it, into `.read`.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path


def markitdown() -> Callable[[Path], str]:
    converter = import_module("markitdown").MarkItDown(enable_plugins=False)
    return lambda path: str(converter.convert(path).text_content)


def extractous() -> Callable[[Path], str]:
    """Apache Tika, compiled."""
    extractor = import_module("extractous").Extractor().set_extract_string_max_length(10_000_000)
    return lambda path: str(extractor.extract_file_to_string(str(path))[0])


def main() -> None:
    read = {"markitdown": markitdown, "extractous": extractous}[sys.argv[1]]()
    for path in sorted(Path(sys.argv[2]).iterdir()):
        try:
            text = read(path)
        except Exception as error:  # whatever it cannot read, it has not read
            print(f"{path.name}: {type(error).__name__}: {error}"[:300], file=sys.stderr)
            text = ""
        path.with_name(f"{path.name}.read").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
