"""Remove the documents whose files are gone from the folders that a person names."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from ingest_assets.cli.commands.up import prepare
from ingest_assets.cli.results import Result, result_of_pruned
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.files.file_states import NoFile
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.pipeline.pruning import Pruned


def find_gone(
    paths: Iterable[Path], missing: Iterable[NoFile], owner: UserId, deployment: Deployment, *, even_all: bool
) -> list[str]:
    """Return the paths whose documents may be removed.

    Raises:
        PermanentError: path_missing, unreadable_file, wrong_usage, prune_suspicious.
    """
    named = [path.absolute() for path in paths]
    problems = {each.path: each.problem for each in missing}
    for path in named:
        if str(path) in problems:
            raise problems[str(path)]
    below = [str(path) for path in named if path.is_dir()]
    if not below:
        raise PermanentError("wrong_usage", what="Only folders can be pruned; name at least one.")
    return deployment.pruning.gone_files(below, owner, even_all=even_all)


def prune_files(gone: Sequence[str], owner: UserId, actor: Actor, deployment: Deployment) -> list[Result]:
    """Remove the documents that came from these paths and return what became of each."""
    from ingest_assets.orchestration.instance import unlist_documents

    prepare(deployment)
    pruned: list[Pruned] = []
    try:
        for path in gone:
            done = deployment.pruning.prune(path, owner, actor)
            pruned += [] if done is None else [done]
    finally:
        unlist_documents([each.acceptance.document_id for each in pruned if each.deleted])
    return [result_of_pruned(each) for each in pruned]
