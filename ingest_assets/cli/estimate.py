from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from ingest_assets.adapters.folders import find_files
from ingest_assets.adapters.parsers.page_count import count_pages
from ingest_assets.cli.arrivals import read_arrival
from ingest_assets.cli.output import print_json, print_table
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents import AcceptanceStatus, UserId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.file_types import FileType
from ingest_assets.pipeline.estimate import Estimate, Size, estimate_documents


def estimate_files(paths: list[Path], owner: UserId, deployment: Deployment) -> Estimate:
    """For what would make work: unchanged files and those that would be refused count nothing."""
    parsing, embedding = deployment.estimated_steps
    return estimate_documents(_sizes(paths, owner, deployment), parsing=parsing, embedding=embedding)


def print_estimate(estimate: Estimate, *, as_json: bool) -> None:
    described = asdict(estimate)
    described["usd"] = described.pop("micro_usd") / 1_000_000
    if as_json:
        print_json(described)
    else:
        print_table(("", "estimated"), list(described.items()))


def _sizes(paths: list[Path], owner: UserId, deployment: Deployment) -> Iterator[Size]:
    for found in find_files(paths):
        try:
            content, arrival = read_arrival(found, owner, deployment.settings.max_file_bytes)
        except PermanentError:
            continue
        if deployment.services.documents.locate(arrival).status is not AcceptanceStatus.UNCHANGED:
            pages = count_pages(content) if arrival.media_type == FileType.PDF else None
            yield Size(arrival.media_type, arrival.byte_size, pages)
