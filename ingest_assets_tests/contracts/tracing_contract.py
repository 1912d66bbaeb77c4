"""What traces must be able to rely on."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from ingest_assets.domain.errors import PermanentError
from ingest_assets.pipeline.ports.tracing import Tracer

REQUEST = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736"
TRACE = REQUEST.replace("-", "")


@dataclass(frozen=True)
class Told:
    """A span as its receiver has it."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, object]
    is_error: bool


class TracerContract:
    """A suite gives the fixtures `tracer`, and `received`, which gives the spans that have arrived by name."""

    @pytest.fixture
    def tracer(self) -> Tracer:
        raise NotImplementedError

    def test_spans_of_one_occasion_are_one_trace_whoever_begins_them(
        self, tracer: Tracer, received: Callable[[], dict[str, Told]]
    ) -> None:
        with tracer.span("outer", {"count": 2}, REQUEST), tracer.span("inner", {}, REQUEST) as note:
            note({"code": "x"})
        with tracer.span("worker", {}, REQUEST):
            pass
        tracer.flush()
        told = received()
        assert {told[name].trace_id for name in ("outer", "inner", "worker")} == {TRACE}
        assert told["inner"].parent_id == told["outer"].span_id
        assert told["outer"].parent_id == told["worker"].parent_id == ""
        assert told["outer"].attributes == {"count": 2, "ingest.correlation_id": REQUEST}
        assert told["inner"].attributes["code"] == "x"

    def test_whoever_asked_is_the_parent_if_it_is_of_the_same_trace(
        self, tracer: Tracer, received: Callable[[], dict[str, Told]]
    ) -> None:
        caller = "00f067aa0ba902b7"
        with tracer.span("asked", {}, TRACE, f"00-{TRACE}-{caller}-01"):
            pass
        with tracer.span("other", {}, TRACE, f"00-{'a' * 32}-{caller}-01"):
            pass
        with tracer.span("garbled", {}, TRACE, "nonsense"):
            pass
        tracer.flush()
        told = received()
        assert told["asked"].parent_id == caller
        assert told["other"].parent_id == told["garbled"].parent_id == ""

    def test_an_error_is_told_by_its_code_and_goes_on(
        self, tracer: Tracer, received: Callable[[], dict[str, Told]]
    ) -> None:
        with pytest.raises(PermanentError), tracer.span("fails", {}):
            raise PermanentError("corrupt")
        with pytest.raises(ValueError, match="quokka"), tracer.span("fails unexpectedly", {}):
            raise ValueError("quokka")
        tracer.flush()
        told = received()
        assert told["fails"].is_error
        assert told["fails"].attributes == {"error.type": "corrupt"}
        assert "quokka" not in str(told)
