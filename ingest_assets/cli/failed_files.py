"""The files that failed documents came from, so that a person need not name them to submit them again."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ingest_assets.cli.arguments import check_code, seen_documents
from ingest_assets.cli.explanation import files_among
from ingest_assets.cli.named_documents import document_of
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.files.file_states import NoFile, SeenFile, SkippedFile
from ingest_assets.pipeline.ports.reading import Documents

Found = Sequence[SeenFile | NoFile | SkippedFile]


def files_of_failures(
    document: str | None, code: str | None, user: str | None, deployment: Deployment
) -> dict[UserId, Found]:
    """Return the files of one document, or of the dead letters with a code, by the user who owns them.

    Raises:
        PermanentError: invalid_id, unknown_document, wrong_usage, not_from_a_file.
    """
    seen = seen_documents(user, deployment)
    sources = _sources_of_cause(code, seen) if document is None else _sources_of_document(document, seen)
    files = {owner: files_among(some) for owner, some in sources.items()}
    if sources and not any(files.values()):
        raise PermanentError("not_from_a_file")
    return {owner: _found(paths, deployment) for owner, paths in files.items()}


def _found(paths: Sequence[str], deployment: Deployment) -> Found:
    """Return the files at recorded paths. Nobody names them now, so no link that has taken one's place is meant."""
    found = deployment.files.find(map(Path, paths))
    return [replace(each, within=_folder_of(each)) if isinstance(each, SeenFile) else each for each in found]


def _folder_of(file: SeenFile) -> str:
    return str(Path(file.path).parent.resolve())


def _sources_of_document(document: str, seen: Documents) -> Mapping[UserId, list[str]]:
    document_id = document_of(document, seen)
    found = seen.find(document_id)
    if found is None:
        raise PermanentError("unknown_document")
    return {found.user_id: seen.sources(document_id)}


def _sources_of_cause(code: str | None, seen: Documents) -> Mapping[UserId, list[str]]:
    sources = {} if code is None else seen.failed_sources(code)
    if not sources:
        check_code(code)
    return sources
