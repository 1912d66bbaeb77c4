"""Traces for OpenTelemetry, sent by OTLP over HTTP to where its standard variables say."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Span, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from ingest_assets.pipeline.failure import as_ingest_error
from ingest_assets.pipeline.ports.tracing import Attributes, Note

SERVICE = "ingest-assets"
SECONDS = 2
"""How long sending may take. Spans that the receiver does not take in this time are lost."""
TRACE_DIGITS = 32

_wanted: ContextVar[int | None] = ContextVar("the trace id of the next span without a parent", default=None)

# Its messages hold the receiver's address and answers; that spans were lost is no failure of the work.
logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)


class OpenTelemetryTracer:
    def __init__(self) -> None:
        resource = Resource({SERVICE_NAME: SERVICE}).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource, id_generator=_Ids(), shutdown_on_exit=True)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=SECONDS)))
        self._tracer = self._provider.get_tracer(SERVICE)

    @contextmanager
    def span(
        self, name: str, attributes: Attributes, correlation_id: str | None = None, parent: str | None = None
    ) -> Iterator[Note]:
        told = dict(attributes)
        if correlation_id is not None:
            told["ingest.correlation_id"] = correlation_id
        wanted = _wanted.set(_trace_id(correlation_id))
        try:
            span = self._tracer.start_span(name, _context(correlation_id, parent), attributes=told)
        finally:
            _wanted.reset(wanted)
        with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            try:
                yield partial(_note, span)
            except Exception as error:
                # An exception's message may quote a document.
                span.set_attribute("error.type", as_ingest_error(error).code)
                span.set_status(StatusCode.ERROR)
                raise

    def flush(self) -> None:
        self._provider.force_flush(SECONDS * 1000)

    def close(self) -> None:
        """Send what has not been sent, and end the thread that sends."""
        self._provider.shutdown()


class _Ids(RandomIdGenerator):
    """Traces have the id of their occasion, so that they go on in another process without anything being passed on."""

    def generate_trace_id(self) -> int:
        return _wanted.get() or super().generate_trace_id()


def _note(span: Span, attributes: Attributes) -> None:
    span.set_attributes(dict(attributes))


def _trace_id(correlation_id: str | None) -> int | None:
    """Return the trace of an occasion; one that has another name has a trace for each process."""
    digits = (correlation_id or "").replace("-", "")
    try:
        return int(digits, 16) if len(digits) == TRACE_DIGITS else None
    except ValueError:
        return None


def _context(correlation_id: str | None, parent: str | None) -> Context | None:
    """Return the context of the parent: the caller's, or the span around this one if it is of the same occasion."""
    wanted = _trace_id(correlation_id)
    around = trace.get_current_span().get_span_context()
    if wanted is None or around.trace_id == wanted:
        return None
    if parent is not None:
        context = TraceContextTextMapPropagator().extract({"traceparent": parent}, Context())
        if trace.get_current_span(context).get_span_context().trace_id == wanted:
            return context
    return Context()
