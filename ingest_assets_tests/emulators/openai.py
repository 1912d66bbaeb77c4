"""OpenAI's embeddings endpoint: https://platform.openai.com/docs/api-reference/embeddings."""

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import count
from threading import Barrier
from typing import Any, cast
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from ingest_assets.adapters.lexical_embedder import LexicalEmbedder
from ingest_assets.adapters.providers.openai.tokens import cl100k_base
from ingest_assets.domain.documents.document import Document, DocumentId, UserId
from ingest_assets_tests.emulators.server import (
    BAD_GATEWAY,
    RESET,
    STALL,
    Emulator,
    Plan,
    Reply,
    Request,
    json_reply,
    truncated,
)

KEY = "sk-emulated-0123456789"
MODELS = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536}
INPUTS_PER_REQUEST, TOKENS_PER_REQUEST, TOKENS_PER_TEXT = 2048, 300_000, 8192
REQUESTS_PER_MINUTE, TOKENS_PER_MINUTE = 3_000, 1_000_000
NOBODY = Document(DocumentId(UUID(int=0)), UserId(UUID(int=0)), 1, "", "", byte_size=0, content_sha="")


class Fault(StrEnum):
    RATE_LIMITED = "429 with Retry-After"
    RATE_LIMITED_SILENTLY = "429 without Retry-After"
    SERVER_ERROR = "500"
    BAD_GATEWAY = "502 with HTML"
    RESET = "connection reset"
    STALL = "no answer"
    KEY_REFUSED = "401"
    QUOTA_SPENT = "429 insufficient_quota"
    # The service has done its work, and charges for it
    TRUNCATED = "truncated JSON"
    WRONG_DIMENSION = "vectors of another dimension"
    MISSING_VECTORS = "fewer vectors than texts"
    NOT_A_NUMBER = "NaN in a vector"
    ZERO = "a zero vector"


CHARGED = {Fault.TRUNCATED, Fault.WRONG_DIMENSION, Fault.MISSING_VECTORS, Fault.NOT_A_NUMBER, Fault.ZERO}


@dataclass(eq=False)
class Refusal(Exception):  # noqa: N818  an answer, not an accident
    status: int
    message: str
    kind: str = "invalid_request_error"
    code: str | None = None
    param: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    model: str
    texts: list[str]
    tokens: int
    dimensions: int
    base64: bool


class OpenAIEmulator(Emulator):
    """Embeds by words, as the lexical embedder does: equal texts get equal vectors, and a search finds what it should.

    Whoever reads several counters at once while calls are under way holds `lock`.
    """

    def __init__(
        self,
        plan: Plan | None = None,
        *,
        models: Mapping[str, int] = MODELS,
        keys: Sequence[str] = (KEY,),
        retry_after: str = "1",
        disordered: bool = False,
        together: int = 1,
    ) -> None:
        """`models` by name with their dimensions; `disordered`: vectors come in reverse, by their index.

        `together`: so many requests must be under way before any of them is answered.
        """
        super().__init__(plan)
        self.keys = set(keys)
        """May be changed while it runs, as keys are."""
        self.tokens = 0
        """Charged for."""
        self.paid: Counter[str] = Counter()
        """How often each text's vector was paid for and sent whole."""
        self.spoiled: Counter[str] = Counter()
        """How often each text was charged for in an answer of no use."""
        self.requests: list[dict[str, Any]] = []
        """The bodies, with the headers below "headers"; of well-formed requests only."""
        self._models = models
        self._retry_after = retry_after
        self._disordered = disordered
        self._numbers = count(1)
        self._together = Barrier(together, timeout=20)

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    def answer(self, request: Request) -> Reply:
        headers = self._headers()
        try:
            reply = self._embeddings(request)
        except Refusal as refusal:
            reply = _error(refusal)
        return replace(reply, headers={**headers, **reply.headers})

    def _embeddings(self, request: Request) -> Reply:
        self._admit(request)
        order = self._order(request)
        self._together.wait()
        fault = self.next_fault()
        if fault is not None and fault not in CHARGED:
            return self._failure(Fault(fault))
        self._charge(order, spoiled=fault is not None)
        return _spoiled(self._reply(order, fault), fault)

    def _admit(self, request: Request) -> None:
        if request.path != "/v1/embeddings":
            raise Refusal(404, f"Invalid URL ({request.method} {request.path})")
        if request.method != "POST":
            raise Refusal(405, f"Not allowed to {request.method} on {request.path}")
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or key not in self.keys:
            raise Refusal(401, f"Incorrect API key provided: {key}.", code="invalid_api_key")

    def _order(self, request: Request) -> Order:
        try:
            body = json.loads(request.body)
        except ValueError as error:
            raise Refusal(400, "We could not parse the JSON body of your request.") from error
        if not isinstance(body, dict):
            raise Refusal(400, "The body is no object.")
        with self.lock:
            self.requests.append({**body, "headers": dict(request.headers)})
        model = body.get("model")
        if not isinstance(model, str) or model not in self._models:
            raise Refusal(404, f"The model `{model}` does not exist.", code="model_not_found")
        texts = _texts(body.get("input"))
        encoding = body.get("encoding_format", "float")
        if encoding not in ("float", "base64"):
            raise Refusal(400, f"'{encoding}' is not one of ['float', 'base64']", param="encoding_format")
        return Order(model, texts, _token_count(texts), self._dimensions(model, body), encoding == "base64")

    def _dimensions(self, model: str, body: Mapping[str, Any]) -> int:
        full = self._models[model]
        asked = body.get("dimensions", full)
        if "dimensions" in body and not model.startswith("text-embedding-3-"):
            raise Refusal(400, "This model does not support specifying dimensions.", param="dimensions")
        if type(asked) is not int or not 0 < asked <= full:
            raise Refusal(400, f"Invalid value for 'dimensions': at most {full}.", param="dimensions")
        return asked

    def vectors(self, order: Order) -> NDArray[np.float32]:
        return model_vectors(order.texts, order.dimensions)

    def _failure(self, fault: Fault) -> Reply:
        if fault in (Fault.RATE_LIMITED, Fault.RATE_LIMITED_SILENTLY):
            advice = {"Retry-After": self._retry_after} if fault is Fault.RATE_LIMITED else {}
            return _error(Refusal(429, "Rate limit reached.", kind="requests", code="rate_limit_exceeded"), advice)
        return FAILURES[fault]

    def _charge(self, order: Order, *, spoiled: bool) -> None:
        with self.lock:
            self.tokens += order.tokens
            (self.spoiled if spoiled else self.paid).update(order.texts)

    def _reply(self, order: Order, fault: StrEnum | None) -> Reply:
        vectors = _misshapen(self.vectors(order), fault)
        data = [
            {"object": "embedding", "index": index, "embedding": _encoded(vector, base64=order.base64)}
            for index, vector in enumerate(vectors)
        ]
        content = {
            "object": "list",
            "data": data[::-1] if self._disordered else data,
            "model": order.model,
            "usage": {"prompt_tokens": order.tokens, "total_tokens": order.tokens},
        }
        return json_reply(200, content)

    def _headers(self) -> dict[str, str]:
        with self.lock:
            number, tokens = next(self._numbers), self.tokens
        return {
            "x-request-id": f"req_{number:032x}",
            "openai-version": "2020-10-01",
            "openai-processing-ms": "1",
            "x-ratelimit-limit-requests": str(REQUESTS_PER_MINUTE),
            "x-ratelimit-limit-tokens": str(TOKENS_PER_MINUTE),
            "x-ratelimit-remaining-requests": str(max(REQUESTS_PER_MINUTE - number, 0)),
            "x-ratelimit-remaining-tokens": str(max(TOKENS_PER_MINUTE - tokens, 0)),
            "x-ratelimit-reset-requests": "20ms",
            "x-ratelimit-reset-tokens": "6ms",
        }


def model_vectors(texts: Sequence[str], dimensions: int) -> NDArray[np.float32]:
    """Unit vectors; of more dimensions than the lexical embedder's its own repeated, of fewer its first."""
    lexical = LexicalEmbedder().embed(texts, NOBODY)
    wide = np.tile(lexical, (1, -(-dimensions // lexical.shape[1])))[:, :dimensions]
    return cast("NDArray[np.float32]", wide / np.linalg.norm(wide, axis=1, keepdims=True))


def _texts(given: object) -> list[str]:
    """One text or many, each as a string or as tokens."""
    many = given if isinstance(given, list) and not all(type(item) is int for item in given) else [given]
    if not many or len(many) > INPUTS_PER_REQUEST:
        raise Refusal(400, f"'$.input' takes 1 to {INPUTS_PER_REQUEST} inputs.", param="input")
    return [_text(item) for item in many]


def _text(item: object) -> str:
    if isinstance(item, list) and item and all(type(token) is int for token in item):
        return cl100k_base().decode(item)
    if not isinstance(item, str) or not item:
        raise Refusal(400, f"'$.input' is invalid: {item!r}.", param="input")
    return item


def _token_count(texts: Sequence[str]) -> int:
    counts = [len(cl100k_base().encode_ordinary(text)) for text in texts]
    if max(counts) > TOKENS_PER_TEXT:
        raise Refusal(400, f"Maximum context length is {TOKENS_PER_TEXT} tokens, you gave: {texts[0]}", param="input")
    if sum(counts) > TOKENS_PER_REQUEST:
        message = f"Requested {sum(counts)} tokens, max {TOKENS_PER_REQUEST} tokens per request"
        raise Refusal(400, message, kind="max_tokens_per_request", code="max_tokens_per_request")
    return sum(counts)


def _misshapen(vectors: NDArray[np.float32], fault: StrEnum | None) -> NDArray[np.float32]:
    match fault:
        case Fault.WRONG_DIMENSION:
            return vectors[:, :-1]
        case Fault.MISSING_VECTORS:
            return vectors[:-1]
        case Fault.NOT_A_NUMBER:
            vectors[-1, 7] = np.nan
        case Fault.ZERO:
            vectors[-1] = 0
    return vectors


def _spoiled(reply: Reply, fault: StrEnum | None) -> Reply:
    return truncated(reply) if fault is Fault.TRUNCATED else reply


def _encoded(vector: NDArray[np.float32], *, base64: bool) -> str | list[float]:
    return b64encode(vector.astype("<f4").tobytes()).decode() if base64 else [float(value) for value in vector]


def _error(refusal: Refusal, headers: Mapping[str, str] | None = None) -> Reply:
    error = {"message": refusal.message, "type": refusal.kind, "param": refusal.param, "code": refusal.code}
    return json_reply(refusal.status, {"error": error}, headers)


FAILURES = {
    Fault.SERVER_ERROR: _error(Refusal(500, "The server had an error.", kind="server_error")),
    Fault.BAD_GATEWAY: BAD_GATEWAY,
    Fault.RESET: RESET,
    Fault.STALL: STALL,
    Fault.KEY_REFUSED: _error(Refusal(401, "Incorrect API key provided.", code="invalid_api_key")),
    Fault.QUOTA_SPENT: _error(
        Refusal(429, "You exceeded your current quota.", kind="insufficient_quota", code="insufficient_quota")
    ),
}
