"""Spans around what takes time. They cost a look-up while nobody wants traces, and nothing is imported for them."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from threading import Lock

from ingest_assets.pipeline.ports.tracing import Attribute, Attributes, Note, Tracer


def _ignore(attributes: Attributes) -> None:
    """Note nothing."""


_OFF = nullcontext(_ignore)


class Tracing:
    """The tracer of this process: traces, like logs, are about the process, whoever calls what."""

    def __init__(self) -> None:
        self._make: Callable[[], Tracer] | None = None
        self._tracer: Tracer | None = None
        self._lock = Lock()

    def begin(self, make: Callable[[], Tracer] | None) -> None:
        """Let spans go to this tracer from now on, or to none. It is made when it is first used: after a fork."""
        self._make, self._tracer = make, None

    def span(
        self, name: str, *, correlation_id: str | None = None, parent: str | None = None, **attributes: Attribute
    ) -> AbstractContextManager[Note]:
        """Return a span for the block, which gets a function that adds attributes."""
        if self._make is None:
            return _OFF
        return self._made(self._make).span(name, attributes, correlation_id, parent)

    def flush(self) -> None:
        """Send what has not been sent: the process may be about to end."""
        if self._tracer is not None:
            self._tracer.flush()

    def _made(self, make: Callable[[], Tracer]) -> Tracer:
        with self._lock:
            self._tracer = self._tracer or make()
        return self._tracer


tracing = Tracing()
