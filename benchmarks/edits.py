"""Ten of a folder's files edited by a sentence each, five deleted: how many texts are embedded for that."""

import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.deployments import INGEST, Home, fresh_home
from benchmarks.documents import edit_paragraph, write_documents
from benchmarks.figures import Figures
from benchmarks.sizes import Sizes

EDITED, DELETED = 10, 5

EMBEDDED = """SELECT coalesce(sum((payload->>'texts_embedded')::int), 0)::int AS texts FROM upload_pipeline.events"""

FOUND = """SELECT count(DISTINCT document_id) AS documents FROM upload_pipeline.document_chunks"""


def measure(sizes: Sizes) -> Iterator[Figures]:
    for _ in range(sizes.repetitions):
        with fresh_home() as home:
            folder = home.folder / "documents"
            paths = write_documents(folder, sizes.stored_files)
            submitted = home.ingest("submit", folder)
            home.ingest("drain")
            before = home.row(EMBEDDED)["texts"]
            begun = time.perf_counter()
            _change(paths)
            _submit_changes(home, folder, paths, {each["path"]: each["document_id"] for each in submitted})
            home.ingest("drain")
            seconds = time.perf_counter() - begun
            assert home.row(FOUND)["documents"] == len(paths) - DELETED
            texts = home.row(EMBEDDED)["texts"] - before
            yield {"edit_texts_embedded": texts, "edit_floor_texts": EDITED, "edit_s": seconds}


def _change(paths: Sequence[Path]) -> None:
    for path in paths[:EDITED]:
        edit_paragraph(path)
    for path in paths[-DELETED:]:
        path.unlink()


def _submit_changes(home: Home, folder: Path, paths: Sequence[Path], document_ids: dict[str, str]) -> None:
    """Deletions with `--prune` where the command knows it."""
    if "--prune" in subprocess.run([INGEST, "submit", "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout:
        home.ingest("submit", folder, "--prune")
        return
    home.ingest("submit", folder)
    home.ingest("delete", *(document_ids[str(path)] for path in paths[-DELETED:]))
