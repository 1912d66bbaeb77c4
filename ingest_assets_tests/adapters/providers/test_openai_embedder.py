"""The OpenAI embedder, through the real client, against the emulated service."""

import logging
import platform
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from threading import Barrier, Lock
from typing import Any

import numpy as np
import pytest

from ingest_assets.adapters.providers import OPENAI
from ingest_assets.adapters.providers.openai.embedder import OpenAIEmbedder
from ingest_assets.adapters.providers.openai.models import OpenAISettings
from ingest_assets.domain.documents.document import VECTOR_DIMENSIONS, DocumentId, Producer, UserId
from ingest_assets.domain.errors import IngestError, OutageError, PermanentError, ResourceError, TransientError
from ingest_assets.domain.spending.costs import Usage
from ingest_assets.domain.spending.providers import ProviderName
from ingest_assets.pipeline.concurrency import as_they_come
from ingest_assets.pipeline.ports.providers import Embedder
from ingest_assets_tests.adapters.providers.lone_document import LoneDocument
from ingest_assets_tests.contracts.embedder_contract import DOCUMENT, TEXTS, EmbedderContract
from ingest_assets_tests.emulators.openai import KEY, Fault, OpenAIEmulator, model_vectors
from ingest_assets_tests.emulators.server import Emulator, Plan, Reply, Request

BRIEF = OpenAISettings(connect_seconds=2, answer_seconds=0.3)


@dataclass
class Call:
    """One paid call, as the gate sees it."""

    provider: ProviderName
    estimate: Usage
    user_id: UserId
    document_id: DocumentId | None
    call_id: int = 0
    used: Usage | None = None
    error: IngestError | None = None

    def settle(self, usage: Usage) -> None:
        assert self.used is None
        self.used = usage


@dataclass
class OpenGate(LoneDocument):
    """Lets every call pass, and remembers it."""

    calls: list[Call] = field(default_factory=list)
    refusal: IngestError | None = None

    @contextmanager
    def begin(
        self,
        provider: ProviderName,
        estimate: Usage,
        user_id: UserId,
        document_id: DocumentId | None,
        fence: int | None = None,  # noqa: ARG002  nobody else is there
    ) -> Iterator[Call]:
        if self.refusal is not None:
            raise self.refusal
        call = Call(provider, estimate, user_id, document_id)
        self.calls.append(call)
        try:
            yield call
        except IngestError as error:
            call.error = error
            raise

    @property
    def booked_tokens(self) -> int:
        return sum(call.used.tokens for call in self.calls if call.used is not None)


@pytest.fixture
def gate() -> OpenGate:
    return OpenGate()


@pytest.fixture
def service() -> Iterator[OpenAIEmulator]:
    with OpenAIEmulator() as emulator:
        yield emulator


@contextmanager
def meeting(*script: StrEnum | None, settings: OpenAISettings = BRIEF) -> Iterator["Meeting"]:
    """An embedder and a service whose calls meet these faults, in this order."""
    with OpenAIEmulator(Plan(script)) as service:
        gate, pauses = OpenGate(), list[float]()
        embedder = OpenAIEmbedder(lambda: KEY, service.base_url, gate, settings, pause=pauses.append)
        with closing(embedder):
            yield Meeting(embedder, service, gate, pauses)


@dataclass
class Meeting:
    embedder: OpenAIEmbedder
    service: OpenAIEmulator
    gate: OpenGate
    pauses: list[float]


def embedder_of(
    service: OpenAIEmulator, gate: OpenGate | None = None, settings: OpenAISettings | None = None, key: str = KEY
) -> closing[OpenAIEmbedder]:
    return closing(OpenAIEmbedder(lambda: key, service.base_url, gate or OpenGate(), settings or OpenAISettings()))


class TestOpenAIEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self, service: OpenAIEmulator) -> Iterator[Embedder]:
        with embedder_of(service) as embedder:
            yield embedder


class TestAnotherServersEmbedder(EmbedderContract):
    """A model of fewer dimensions, on a server that knows no others."""

    @pytest.fixture
    def embedder(self) -> Iterator[Embedder]:
        settings = OpenAISettings("nomic-embed-text", "1.5")
        with OpenAIEmulator(models={"nomic-embed-text": 768}) as service, embedder_of(service, settings=settings) as it:
            yield it


def test_vectors_are_the_models_own(service: OpenAIEmulator) -> None:
    with embedder_of(service) as embedder:
        np.testing.assert_allclose(embedder.embed(TEXTS, DOCUMENT), model_vectors(TEXTS, 1536), atol=1e-6)
    assert service.paid == dict.fromkeys(TEXTS, 1)


def test_vectors_travel_as_base64_and_nothing_is_said_of_this_machine(service: OpenAIEmulator) -> None:
    with embedder_of(service) as embedder:
        embedder.embed(TEXTS, DOCUMENT)
    (request,) = service.requests
    assert request["encoding_format"] == "base64"
    assert not request["headers"].keys() & {"x-stainless-os", "x-stainless-arch", "x-stainless-runtime-version"}
    assert platform.python_version() not in str(request["headers"])
    assert "user" not in request


@pytest.mark.parametrize(
    ("model", "asked"),
    [("text-embedding-3-small", 1536), ("text-embedding-3-large", 1536), ("text-embedding-ada-002", None)],
)
def test_dimensions_are_asked_of_models_that_take_them(service: OpenAIEmulator, model: str, asked: int | None) -> None:
    with embedder_of(service, settings=OpenAISettings(model)) as embedder:
        vectors = embedder.embed(TEXTS, DOCUMENT)
    assert vectors.shape == (len(TEXTS), VECTOR_DIMENSIONS)
    assert service.requests[0].get("dimensions") == asked


def test_vectors_are_taken_by_their_index() -> None:
    with OpenAIEmulator(disordered=True) as service, embedder_of(service) as embedder:
        np.testing.assert_allclose(embedder.embed(TEXTS, DOCUMENT), model_vectors(TEXTS, 1536), atol=1e-6)


@dataclass
class MeetingPlace(OpenGate):
    """Lets calls pass two by two."""

    two: Barrier = field(default_factory=lambda: Barrier(2))
    lock: Lock = field(default_factory=Lock)
    now: int = 0
    most: int = 0

    @contextmanager
    def begin(self, *payer: Any, **more: Any) -> Iterator[Call]:
        with super().begin(*payer, **more) as call:
            self._count(1)
            self.two.wait(30)
            yield call
            self._count(-1)

    def _count(self, more: int) -> None:
        with self.lock:
            self.now += more
            self.most = max(self.most, self.now)


def test_all_documents_together_have_no_more_requests_in_flight_than_is_set(service: OpenAIEmulator) -> None:
    gate = MeetingPlace()
    with (
        embedder_of(service, gate, OpenAISettings(max_in_flight_together=2)) as embedder,
        ThreadPoolExecutor(6) as pool,
    ):
        assert len(list(pool.map(lambda _: embedder.embed(TEXTS, DOCUMENT), range(6)))) == 6
    assert gate.most == 2


def test_a_call_is_estimated_and_then_booked_as_the_service_counted(service: OpenAIEmulator, gate: OpenGate) -> None:
    with embedder_of(service, gate) as embedder:
        embedder.embed(TEXTS, DOCUMENT)
        embedder.embed_query("Is theft covered?", DOCUMENT.user_id)
    document, query = gate.calls
    assert (document.provider, document.user_id, document.document_id) == (
        OPENAI.name, DOCUMENT.user_id, DOCUMENT.document_id
    )  # fmt: skip
    assert (query.user_id, query.document_id) == (DOCUMENT.user_id, None)
    assert document.used is not None
    assert document.used.request_id == f"req_{1:032x}"
    assert document.estimate == replace(document.used, request_id=None)
    assert gate.booked_tokens == service.tokens > 0


@pytest.mark.parametrize(("tokens", "micro_usd"), [(0, 0), (1, 1), (50, 1), (51, 2), (1_000_000, 20_000)])
def test_prices_are_rounded_up_to_whole_micro_dollars(tokens: int, micro_usd: int) -> None:
    assert OpenAISettings().usage(tokens).micro_usd == micro_usd


def test_a_model_of_ones_own_costs_what_its_settings_say() -> None:
    assert OpenAISettings("nomic-embed-text").usage(10_000).micro_usd == 0
    assert OpenAISettings("nomic-embed-text", micro_usd_per_million_tokens=100).usage(10_000).micro_usd == 1


def test_no_texts_make_no_call(service: OpenAIEmulator, gate: OpenGate) -> None:
    with embedder_of(service, gate) as embedder:
        embedder.embed([], DOCUMENT)
    assert not service.calls
    assert not gate.calls


def test_an_empty_query_is_no_error(service: OpenAIEmulator) -> None:
    with embedder_of(service) as embedder:
        assert embedder.embed_query("", DOCUMENT.user_id).any()


def test_what_the_gate_refuses_is_not_sent(service: OpenAIEmulator) -> None:
    refusing = OpenGate(refusal=OutageError("storage_full"))
    with embedder_of(service, refusing) as embedder, pytest.raises(ResourceError, match="storage_full"):
        embedder.embed(TEXTS, DOCUMENT)
    assert not service.calls


def test_several_requests_are_under_way_together() -> None:
    with OpenAIEmulator(together=3) as service, embedder_of(service) as embedder:
        batches = [[f"Clause {number}"] for number in range(6)]
        vectors = list(as_they_come(lambda batch: embedder.embed(batch, DOCUMENT), batches, 3))
    assert len(vectors) == service.calls.total() == 6


def test_a_text_that_the_model_cannot_take_is_refused_before_it_is_paid(
    service: OpenAIEmulator, gate: OpenGate
) -> None:
    with embedder_of(service, gate) as embedder:
        embedder.embed([" insurance" * 8192], DOCUMENT)
        with pytest.raises(PermanentError, match="8193 tokens; the model takes 8192"):
            embedder.embed([TEXTS[0], " insurance" * 8193], DOCUMENT)
    assert len(gate.calls) == 1


def test_tokens_are_counted_as_the_service_does(service: OpenAIEmulator) -> None:
    texts = [*TEXTS, "Prämie für Ärzte: 1.250,00 €", "保険証券", "<|endoftext|>", "\U0001f692", "a" * 5000]
    with embedder_of(service) as embedder:
        counted = sum(map(embedder.count_tokens, texts))
        embedder.embed(texts, DOCUMENT)
    assert counted == service.tokens


def test_an_embedder_that_nobody_holds_leaves_no_connection_open(service: OpenAIEmulator, gate: OpenGate) -> None:
    embedder = OpenAIEmbedder(lambda: KEY, service.base_url, gate, OpenAISettings())
    embedder.embed(TEXTS, DOCUMENT)
    client = embedder._client
    assert not client.is_closed()
    del embedder
    assert client.is_closed()


# Failures


FAULTS: list[tuple[Fault, type[IngestError], str, bool]] = [
    (Fault.RATE_LIMITED_SILENTLY, TransientError, "service_busy", False),
    (Fault.SERVER_ERROR, TransientError, "service_unavailable", False),
    (Fault.BAD_GATEWAY, TransientError, "service_unavailable", False),
    (Fault.RESET, TransientError, "service_unavailable", False),
    (Fault.STALL, TransientError, "service_slow", False),
    (Fault.KEY_REFUSED, ResourceError, "service_key_refused", False),
    (Fault.QUOTA_SPENT, ResourceError, "service_quota_spent", False),
    (Fault.TRUNCATED, TransientError, "service_garbled", True),
    (Fault.WRONG_DIMENSION, TransientError, "vectors_invalid", True),
    (Fault.MISSING_VECTORS, TransientError, "vectors_invalid", True),
    (Fault.NOT_A_NUMBER, TransientError, "vectors_invalid", True),
    (Fault.ZERO, TransientError, "vectors_invalid", True),
]


@pytest.mark.parametrize(("fault", "kind", "code", "charged"), FAULTS)
def test_a_fault_is_one_call_and_one_error_of_the_catalogue(
    fault: Fault, kind: type[IngestError], code: str, *, charged: bool
) -> None:
    with meeting(fault) as met:
        with pytest.raises(kind) as raised:
            met.embedder.embed(TEXTS, DOCUMENT)
        assert raised.value.code == code
        assert met.service.calls.total() == met.service.faults[fault] == 1
        assert [call.error for call in met.gate.calls] == [raised.value]
        assert (met.gate.booked_tokens > 0) is charged
        assert met.gate.booked_tokens == met.service.tokens
        assert met.embedder.embed(TEXTS, DOCUMENT).shape == (3, VECTOR_DIMENSIONS), "the next call must work"
        assert met.service.paid == dict.fromkeys(TEXTS, 1)


def test_every_fault_of_the_emulator_is_tried() -> None:
    assert {fault for fault, *_ in FAULTS} | {Fault.RATE_LIMITED} == set(Fault)


def test_a_short_retry_after_is_obeyed_and_each_attempt_passes_the_gate() -> None:
    with meeting(Fault.RATE_LIMITED, Fault.RATE_LIMITED) as met:
        met.embedder.embed(TEXTS, DOCUMENT)
        assert met.pauses == [1.0, 1.0]
        assert [call.error and call.error.code for call in met.gate.calls] == ["service_busy", "service_busy", None]


def test_retry_after_is_obeyed_twice_at_most() -> None:
    with meeting(*[Fault.RATE_LIMITED] * 3) as met:
        with pytest.raises(TransientError, match="service_busy"):
            met.embedder.embed(TEXTS, DOCUMENT)
        assert met.pauses == [1.0, 1.0]


def test_a_long_retry_after_is_left_to_the_queue() -> None:
    with meeting(Fault.RATE_LIMITED, settings=replace(BRIEF, longest_pause=0.9)) as met:
        with pytest.raises(TransientError) as raised:
            met.embedder.embed(TEXTS, DOCUMENT)
        assert raised.value.retry_after == 1.0
        assert not met.pauses


def test_a_query_waits_for_no_retry_after() -> None:
    with meeting(Fault.RATE_LIMITED) as met:
        with pytest.raises(TransientError, match="service_busy"):
            met.embedder.embed_query("theft", DOCUMENT.user_id)
        assert not met.pauses


def test_a_server_that_is_not_there_is_unavailable(gate: OpenGate) -> None:
    with OpenAIEmulator() as service:
        address = service.base_url
    with (
        closing(OpenAIEmbedder(lambda: KEY, address, gate, BRIEF)) as embedder,
        pytest.raises(TransientError, match="service_unavailable"),
    ):
        embedder.embed(TEXTS, DOCUMENT)


def test_a_wrong_model_is_waited_for_until_it_is_set_right(service: OpenAIEmulator) -> None:
    with (
        embedder_of(service, settings=OpenAISettings("text-embedding-4")) as embedder,
        pytest.raises(ResourceError, match="service_unknown_address"),
    ):
        embedder.embed(TEXTS, DOCUMENT)


def test_a_wrong_address_is_waited_for_until_it_is_set_right(service: OpenAIEmulator, gate: OpenGate) -> None:
    with (
        closing(OpenAIEmbedder(lambda: KEY, f"{service.url}/v2", gate, BRIEF)) as embedder,
        pytest.raises(ResourceError, match="service_unknown_address"),
    ):
        embedder.embed(TEXTS, DOCUMENT)


def test_a_request_that_the_service_finds_wrong_is_permanent(service: OpenAIEmulator) -> None:
    with embedder_of(service) as embedder, pytest.raises(PermanentError, match="service_refused"):
        embedder.embed(["clause"] * 2049, DOCUMENT)
    assert not service.paid


class Redirecting(Emulator):
    def __init__(self, target: str) -> None:
        super().__init__()
        self.target = target

    def answer(self, request: Request) -> Reply:
        return Reply(307, headers={"Location": self.target + request.path})


def test_texts_do_not_follow_a_redirect(service: OpenAIEmulator, gate: OpenGate) -> None:
    with (
        Redirecting(service.url) as redirecting,
        closing(OpenAIEmbedder(lambda: KEY, f"{redirecting.url}/v1", gate, BRIEF)) as embedder,
        pytest.raises(ResourceError, match="service_unknown_address"),
    ):
        embedder.embed(TEXTS, DOCUMENT)
    assert redirecting.calls.total() == 1
    assert not service.calls


@pytest.mark.parametrize("seed", [1, 2])
def test_under_random_faults_every_text_is_paid_once_and_the_books_are_the_services(seed: int) -> None:
    texts = [f"Clause {number}: the insurer pays {number * 10} dollars." for number in range(120)]
    unpaid = [texts[start : start + 4] for start in range(0, len(texts), 4)]
    gate = OpenGate()
    with (
        OpenAIEmulator(Plan(faults=list(Fault), share=0.3, seed=seed), retry_after="0") as service,
        closing(OpenAIEmbedder(lambda: KEY, service.base_url, gate, BRIEF)) as embedder,
        ThreadPoolExecutor(4) as workers,
    ):
        while unpaid:
            outcomes = list(workers.map(lambda batch: attempt(embedder, batch), unpaid))
            unpaid = [batch for batch, landed in zip(unpaid, outcomes, strict=True) if not landed]
    assert service.paid == dict.fromkeys(texts, 1)
    assert service.faults.total() > 5
    assert gate.booked_tokens == service.tokens
    assert len(gate.calls) == service.calls.total()


def attempt(embedder: OpenAIEmbedder, batch: Sequence[str]) -> bool:
    try:
        return len(embedder.embed(batch, DOCUMENT)) == len(batch)
    except (TransientError, ResourceError):
        return False


# Other models


def test_a_model_of_more_dimensions_is_refused_clearly() -> None:
    settings = OpenAISettings("bge-multilingual", "2")
    with (
        OpenAIEmulator(models={"bge-multilingual": 3584}) as service,
        embedder_of(service, settings=settings) as embedder,
        pytest.raises(PermanentError, match="3584 dimensions; at most 1536"),
    ):
        embedder.embed(TEXTS, DOCUMENT)


def test_more_dimensions_than_can_be_stored_cannot_be_asked_for() -> None:
    with pytest.raises(PermanentError, match="3072 dimensions; at most 1536"):
        OpenAISettings("text-embedding-3-large", dimensions=3072)


def test_a_model_of_fewer_dimensions_is_padded_and_keeps_its_cosines() -> None:
    settings = OpenAISettings("nomic-embed-text", "1.5")
    with (
        OpenAIEmulator(models={"nomic-embed-text": 768}) as service,
        embedder_of(service, settings=settings) as embedder,
    ):
        vectors = embedder.embed(TEXTS, DOCUMENT)
    own = model_vectors(TEXTS, 768)
    assert vectors.shape == (3, VECTOR_DIMENSIONS)
    assert not vectors[:, 768:].any()
    np.testing.assert_allclose(vectors @ vectors.T, own @ own.T, atol=1e-6)


def test_another_dimension_than_was_set_is_refused() -> None:
    settings = OpenAISettings("nomic-embed-text", "1.5", dimensions=512)
    with (
        OpenAIEmulator(models={"nomic-embed-text": 768}) as service,
        embedder_of(service, settings=settings) as embedder,
        pytest.raises(TransientError, match="vectors_invalid"),
    ):
        embedder.embed(TEXTS, DOCUMENT)


def test_vectors_of_other_lengths_count_as_another_model() -> None:
    assert OpenAISettings().producer == Producer("text-embedding-3-small", "1")
    assert OpenAISettings(dimensions=1536).producer == Producer("text-embedding-3-small", "1")
    assert OpenAISettings(dimensions=512).producer == Producer("text-embedding-3-small", "1-512d")
    assert OpenAISettings("nomic-embed-text", "1.5").producer == Producer("nomic-embed-text", "1.5")


@pytest.mark.parametrize("limits", [{"max_inputs": 2049}, {"max_tokens": 300_001}, {"max_inputs": 0}])
def test_limits_beyond_the_services_are_refused(limits: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="2048 inputs and 1 to 300000 tokens"):
        OpenAISettings(**limits)  # type: ignore[arg-type]


def test_a_request_as_large_as_the_limits_allow_is_taken(service: OpenAIEmulator) -> None:
    with embedder_of(service, settings=OpenAISettings(max_inputs=2048, max_tokens=300_000)) as embedder:
        texts = [f"Clause {number}" for number in range(embedder.max_inputs)]
        assert len(embedder.embed(texts, DOCUMENT)) == 2048


# Keys


def test_the_key_may_change_between_calls(service: OpenAIEmulator, gate: OpenGate) -> None:
    keys = ["sk-old", "sk-new"]
    service.keys = {"sk-old"}
    with closing(OpenAIEmbedder(lambda: keys[0], service.base_url, gate, BRIEF)) as embedder:
        embedder.embed(TEXTS, DOCUMENT)
        service.keys = {"sk-new"}
        with pytest.raises(ResourceError, match="service_key_refused"):
            embedder.embed(TEXTS, DOCUMENT)
        keys.reverse()
        assert embedder.embed(TEXTS, DOCUMENT).any()


def test_a_key_from_a_file_may_end_in_a_newline(service: OpenAIEmulator) -> None:
    with embedder_of(service, key=f"{KEY}\n") as embedder:
        assert embedder.embed(TEXTS, DOCUMENT).any()


@pytest.mark.parametrize("key", ["", " \n", "sk-schlüssel", "sk-one\nsk-two", "sk-\x00"])
def test_what_can_be_no_key_is_not_sent(service: OpenAIEmulator, key: str) -> None:
    with embedder_of(service, key=key) as embedder, pytest.raises(ResourceError, match="service_key_refused"):
        embedder.embed(TEXTS, DOCUMENT)
    assert not service.calls


@pytest.mark.parametrize("fault", list(Fault))
def test_neither_key_nor_text_is_in_an_error_or_a_log(fault: Fault, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with meeting(fault, settings=replace(BRIEF, pauses=0)) as met:
        with pytest.raises(IngestError) as raised:
            met.embedder.embed(TEXTS, DOCUMENT)
        said = "".join([*traceback.format_exception(raised.value), caplog.text, repr(vars(met.embedder))])
    assert raised.value.__context__ is raised.value.__cause__ is None
    assert not [secret for secret in [KEY, *TEXTS] if secret in said]


def test_a_refused_key_is_not_in_the_error_though_the_service_repeats_it(
    service: OpenAIEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with embedder_of(service, key="sk-mistyped") as embedder, pytest.raises(ResourceError) as raised:
        embedder.embed(TEXTS, DOCUMENT)
    assert "sk-mistyped" not in "".join(traceback.format_exception(raised.value)) + caplog.text


# Loading


def run_python(source: str) -> Sequence[str]:
    ran = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    return ran.stdout.split()


def test_the_client_is_loaded_where_it_is_used_only() -> None:
    loaded = run_python(
        "import sys, ingest_assets.composition, ingest_assets.adapters.providers.openai;"
        "print(*{'openai', 'tiktoken', 'llama_index'} & set(sys.modules))"
    )
    assert loaded == []


def test_tokens_are_counted_without_a_network_and_without_llama_index() -> None:
    counted = run_python(
        "import socket, sys\n"
        "socket.socket.connect = None\n"
        "from ingest_assets.adapters.providers.openai.tokens import count_tokens\n"
        "print(count_tokens('Windscreen repairs'), 'llama_index.core' in sys.modules)"
    )
    assert counted == ["3", "False"]
