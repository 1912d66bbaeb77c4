"""Whether this process tells its traces."""

import logging
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ingest_assets.pipeline.tracing import tracing

if TYPE_CHECKING:
    from ingest_assets.pipeline.ports.tracing import Tracer
    from ingest_assets.settings import Settings

logger = logging.getLogger("ingest_assets")


def begin_tracing(settings: "Settings") -> None:
    """Let spans go to where the standard variable says, if it is set and the extra is installed."""
    if settings.otel_endpoint is None:
        return
    if find_spec("opentelemetry.exporter") is None or find_spec("opentelemetry.sdk") is None:
        logger.warning("OTEL_EXPORTER_OTLP_ENDPOINT is set, but the extra `tracing` of ingest-assets is not installed.")
        return
    tracing.begin(_tracer)


def _tracer() -> "Tracer":
    from ingest_assets.adapters.opentelemetry_tracer import OpenTelemetryTracer

    return OpenTelemetryTracer()
