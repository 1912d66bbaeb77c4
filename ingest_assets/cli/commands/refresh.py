from collections import Counter
from typing import Annotated

import typer

from ingest_assets.cli.arguments import Json, actor_of
from ingest_assets.cli.console import out
from ingest_assets.cli.estimate import describe_estimate, estimate_outdated, print_estimate
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.domain.documents.outdated import FirstStep


def refresh(
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Only show how many documents would start at which step, and the cost.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Queue finished documents again if the parser, the chunker or the model has changed since."""
    with deployed(as_json=as_json) as deployment:
        outdated = deployment.refresh.outdated()
        if estimate:
            begin = Counter(each.first_step for each in outdated)
            steps = {step.value: begin[step] for step in FirstStep}
            print_estimate(describe_estimate(estimate_outdated(outdated, deployment)) | steps, as_json=as_json)
            return
        queued = deployment.refresh.queue(outdated, actor_of("refresh"))
        if as_json:
            print_json([{"document_id": str(document_id), "status": "queued"} for document_id in queued])
        else:
            out.print(f"Queued again: {len(queued)}.")
