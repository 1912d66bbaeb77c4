"""A real receiver of OTLP over HTTP on 127.0.0.1, which reads the protocol buffers as they are specified."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ingest_assets_tests.contracts.tracing_contract import Told

ERROR = 2


@dataclass
class Traces:
    url: str = ""
    spans: list[Told] = field(default_factory=list)
    services: set[str] = field(default_factory=set)

    def named(self) -> dict[str, Told]:
        return {span.name: span for span in self.spans}


@contextmanager
def receiving_traces() -> Iterator[Traces]:
    traces = Traces()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            is_packed = self.headers.get("Content-Encoding") == "gzip"
            _note(traces, ExportTraceServiceRequest.FromString(gzip.decompress(body) if is_packed else body))
            self.send_response(200 if self.path == "/v1/traces" else 404)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    traces.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield traces
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _note(traces: Traces, request: ExportTraceServiceRequest) -> None:
    for resource in request.resource_spans:
        traces.services |= {
            each.value.string_value for each in resource.resource.attributes if each.key == "service.name"
        }
        for span in (span for scope in resource.scope_spans for span in scope.spans):
            values = {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}
            is_error = span.status.code == ERROR
            assert not span.status.message
            assert not span.events
            ids = span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()
            traces.spans.append(Told(span.name, *ids, values, is_error))
