"""Who reads the bench's documents: this project's parser, and other tools in environments of their own."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from benchmarks.deployments import OWNER
from benchmarks.quality.documents import Sample
from ingest_assets.adapters.parsers.local import LocalParser, ParserLimits
from ingest_assets.domain.documents.document import Document, DocumentId
from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.files.file_types import recognise
from ingest_assets.posix.ocr_languages import folder_of

PEER = Path(__file__).with_name("peer.py")
DEEPEST = 3


def ours(samples: Sequence[Sample]) -> list[str]:
    languages = ("eng",)
    parser = LocalParser(ParserLimits(ocr_folder=str(folder_of(languages)), ocr_languages=languages))
    try:
        return [_read(parser, sample.content, sample.name, 0) for sample in samples]
    finally:
        parser.close()


def peer(tool: str, python: Path, samples: Sequence[Sample], folder: Path) -> list[str]:
    """Have another tool read the documents; what it cannot read is empty.

    Raises:
        CalledProcessError: The tool does not run.
    """
    for sample in samples:
        (folder / sample.name).write_bytes(sample.content)
    subprocess.run([str(python), str(PEER), tool, str(folder)], check=True)
    return [(folder / f"{sample.name}.read").read_text(encoding="utf-8") for sample in samples]


def _read(parser: LocalParser, content: bytes, name: str, depth: int) -> str:
    """Return the text of a document and of what is attached to it."""
    try:
        kind = recognise(content, name)
        document = Document(DocumentId(uuid4()), OWNER, 1, name, kind.value, len(content), "0" * 64)
        parsed = parser.parse(content, document)
    except IngestError:
        return ""
    attachments = (parsed.attachments or ()) if depth < DEEPEST else ()
    return "\n".join([parsed.text, *(_read(parser, each.content, each.path, depth + 1) for each in attachments)])
