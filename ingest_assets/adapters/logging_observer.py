"""Facts as lines of the process's guarded log."""

import logging
from uuid import UUID

from ingest_assets.domain.facts import (
    BillSurprised,
    ClaimingPaused,
    ClaimLost,
    DocumentFailed,
    DocumentFinished,
    ErrorPassedOver,
    Fact,
    IndexChanged,
    ProviderAnswered,
)

logger = logging.getLogger("ingest_assets")


class LoggingObserver:
    def observe(self, fact: Fact) -> None:
        match fact:
            case DocumentFinished():
                logger.info(
                    "document %s: version %d has %d chunks",
                    *(fact.document_id, fact.version, fact.chunks),
                    extra=_fields(fact.document_id, fact.correlation_id),
                )
            case DocumentFailed():
                logger.info(
                    "document %s: attempt %d from %s failed: %s",
                    *(fact.document_id, fact.attempt, fact.stage, fact.code),
                    extra=_fields(fact.document_id, fact.correlation_id, fact.code),
                )
            case ClaimLost():
                logger.info(
                    "document %s: claim %s was lost",
                    *(fact.document_id, fact.claim),
                    extra=_fields(fact.document_id, fact.correlation_id),
                )
            case ClaimingPaused():
                logger.warning(
                    "no more documents are claimed for a while: %s", fact.error, extra=_fields(code=fact.error.code)
                )
            case ProviderAnswered():
                logger.info(
                    "%s answered after %.3f s: %s",
                    *(fact.provider, fact.seconds, fact.code or "ok"),
                    extra=_fields(fact.document_id, code=fact.code),
                )
            case BillSurprised():
                logger.warning(
                    "call %d of %s is billed with %d credits, where the price list let expect %d",
                    *(fact.call_id, fact.provider, fact.billed, fact.expected),
                )
            case IndexChanged():
                logger.info("vector index of %s %s: %s", fact.model.name, fact.model.version, fact.action)
            case ErrorPassedOver():
                logger.warning(
                    "%s failed and will be tried again: %s",
                    *(fact.activity, fact.error),
                    extra=_fields(code=fact.error.code),
                )


def _fields(
    document_id: UUID | None = None, correlation_id: str | None = None, code: str | None = None
) -> dict[str, str | None]:
    """Return what a line of JSON has of a fact besides its message."""
    return {
        "document_id": None if document_id is None else str(document_id),
        "correlation_id": correlation_id,
        "code": code,
    }
