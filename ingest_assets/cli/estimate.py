from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ingest_assets.cli.console import print_table
from ingest_assets.cli.output import print_json
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.outdated import FirstStep, OutdatedDocument
from ingest_assets.domain.files.file_states import SeenFile
from ingest_assets.domain.files.file_types import FileType
from ingest_assets.domain.predictions import TooLittle, Work, predict_work
from ingest_assets.pipeline.dashboards import REMEMBERED
from ingest_assets.pipeline.estimate import Estimate, Size, estimate_documents
from ingest_assets.pipeline.file_intake import FileIntake
from ingest_assets.pipeline.intake import CheckedFile


def estimate_files(files: Sequence[SeenFile], intake: FileIntake, deployment: Deployment) -> dict[str, Any]:
    """Describe the work that the files would make: unchanged and rejected files make none."""
    sizes = [
        Size(each.arrival.media_type, each.arrival.byte_size, _pages(each, deployment))
        for each in intake.changed(files)
    ]
    estimate = estimate_documents(sizes, parsing=deployment.parsing_effort, embedding=deployment.embedding_effort)
    return describe_estimate(estimate) | _time(sizes, deployment)


def _time(sizes: Sequence[Size], deployment: Deployment) -> dict[str, Any]:
    """Return where the time of an estimate is from: out of this deployment's own history, if it has enough of one."""
    work = [Work(each.media_type, 1, each.byte_size) for each in sizes]
    predicted = predict_work(deployment.records.past_work(REMEMBERED), work)
    if isinstance(predicted, TooLittle):
        return {"seconds_from": "assumptions", "seconds_error_percent": None}
    error = predicted.document_error
    told = None if error is None else round(100 * error)
    return {"seconds": predicted.seconds, "seconds_from": "history", "seconds_error_percent": told}


def _pages(file: CheckedFile, deployment: Deployment) -> int | None:
    is_pdf = file.arrival.media_type == FileType.PDF
    return deployment.local_parser.count_pages(file.content) if is_pdf else None


def estimate_outdated(outdated: Sequence[OutdatedDocument], deployment: Deployment) -> Estimate:
    """Estimate the most that the documents would take: it assumes that no text has a vector yet."""
    sizes = (
        Size(
            each.media_type,
            each.byte_size,
            each.pages,
            each.characters,
            is_parsed=each.first_step is not FirstStep.PARSE,
        )
        for each in outdated
    )
    return estimate_documents(sizes, parsing=deployment.parsing_effort, embedding=deployment.embedding_effort)


def describe_estimate(estimate: Estimate) -> dict[str, Any]:
    described = asdict(estimate)
    described["usd"] = described.pop("micro_usd") / 1_000_000
    return described


def print_estimate(described: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(described)
    else:
        print_table(("", "estimated"), list(described.items()))
