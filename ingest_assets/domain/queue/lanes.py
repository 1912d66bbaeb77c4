"""Lanes: kinds of work that differ in what they need of a host. The schema's function `lane_of` repeats this."""

from collections.abc import Mapping
from enum import StrEnum

from ingest_assets.domain.queue.stages import Stage

RECOGNITION = "recognition_slow"
"""The code with which an attempt ends that finds scanned pages before it is their turn."""
EMBEDDING = frozenset({Stage.EMBEDDING, Stage.EMBEDDED})


class Lane(StrEnum):
    """What a document needs next."""

    PARSE = "parse"
    OCR = "ocr"
    EMBED = "embed"


def lane_of(stage: Stage, failures: Mapping[str, int]) -> Lane:
    """Return the lane of a job.

    Args:
        stage: The job's stage.
        failures: How many earlier attempts ended with each error code.
    """
    if stage in EMBEDDING | {Stage.CHUNKS_BUFFERED}:
        return Lane.EMBED
    return Lane.OCR if RECOGNITION in failures else Lane.PARSE


def does(lane: Lane | None, enters: Stage) -> bool:
    """Return whether workers of a lane do the step that enters at this stage; those of no lane do all steps."""
    return lane is None or (enters in EMBEDDING) == (lane is Lane.EMBED)
