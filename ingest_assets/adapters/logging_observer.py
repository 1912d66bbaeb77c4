"""Facts as lines of the process's guarded log."""

import logging

from ingest_assets.domain.facts import (
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
                logger.debug("document %s: version %d has %d chunks", fact.document_id, fact.version, fact.chunks)
            case DocumentFailed():
                logger.info(
                    "document %s: attempt %d from %s failed: %s", fact.document_id, fact.attempt, fact.stage, fact.code
                )
            case ClaimLost():
                logger.info("document %s: claim %s was lost", fact.document_id, fact.claim)
            case ClaimingPaused():
                logger.warning("no more documents are claimed for a while: %s", fact.error)
            case ProviderAnswered():
                logger.debug("%s answered after %.3f s: %s", fact.provider, fact.seconds, fact.code or "ok")
            case IndexChanged():
                logger.info("vector index of %s %s: %s", fact.model.name, fact.model.version, fact.action)
            case ErrorPassedOver():
                logger.warning("%s failed and will be tried again: %s", fact.activity, fact.error)
