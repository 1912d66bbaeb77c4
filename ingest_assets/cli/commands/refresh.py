from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import typer

from ingest_assets.cli.arguments import Json, actor_of
from ingest_assets.cli.console import out
from ingest_assets.cli.estimate import describe_estimate, estimate_outdated, print_estimate
from ingest_assets.cli.named_documents import documents_of, every_listed
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.documents.listing import Listing
from ingest_assets.domain.documents.outdated import FirstStep
from ingest_assets.domain.errors import PermanentError


def refresh(
    documents: Annotated[
        list[str] | None, typer.Argument(metavar="DOCUMENT", help="Only these documents, whatever has made them.")
    ] = None,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Only show how many documents would start at which step, and the cost.")
    ] = False,
    warnings: Annotated[
        bool, typer.Option("--warnings", help="Only documents of which something could not be read.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Queue finished documents again if the parser, the chunker or the model has changed since."""
    with deployed(as_json=as_json) as deployment:
        if documents and (estimate or warnings):
            raise PermanentError("wrong_usage", what="Name documents, or give --estimate or --warnings.")
        if documents:
            queued = deployment.operations.refresh(documents_of(documents, deployment.documents), actor_of("refresh"))
            if not queued:
                raise PermanentError("not_finished")
            _print(queued, as_json=as_json)
            return
        outdated = deployment.refresh.outdated()
        if warnings:
            lacking = set(every_listed(Listing(with_warnings=True), deployment.documents))
            outdated = [each for each in outdated if each.document_id in lacking]
        if estimate:
            begin = Counter(each.first_step for each in outdated)
            steps = {step.value: begin[step] for step in FirstStep}
            print_estimate(describe_estimate(estimate_outdated(outdated, deployment)) | steps, as_json=as_json)
            return
        _print(deployment.refresh.queue(outdated, actor_of("refresh")), as_json=as_json)


def _print(queued: Sequence[DocumentId], *, as_json: bool) -> None:
    if as_json:
        print_json([{"document_id": str(document_id), "status": "queued"} for document_id in queued])
    else:
        out.print(f"Queued again: {len(queued)}.")
