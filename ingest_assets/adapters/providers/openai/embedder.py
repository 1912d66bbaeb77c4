"""Turn texts into vectors over HTTP, each request behind the gate before paid calls."""

import time
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from threading import BoundedSemaphore
from typing import TYPE_CHECKING
from weakref import finalize

import numpy as np

from ingest_assets.adapters.providers.openai.answers import read_answer, read_vectors, used_tokens
from ingest_assets.adapters.providers.openai.failures import NAME, classify
from ingest_assets.adapters.providers.openai.models import OpenAISettings
from ingest_assets.adapters.providers.openai.provider import PROVIDER
from ingest_assets.adapters.providers.openai.tokens import count_tokens
from ingest_assets.domain.documents.document import VECTOR_DIMENSIONS, Document, DocumentId, UserId, Vectors
from ingest_assets.domain.errors import PermanentError, ResourceError, TransientError
from ingest_assets.domain.spending.costs import request_id_in
from ingest_assets.pipeline.ports.providers import PaidCalls

if TYPE_CHECKING:
    import httpx2
    from openai import OpenAI

CORRELATION_HEADER = "X-Client-Request-Id"
"""OpenAI logs it, so that its support finds a call of which no answer came."""
MACHINE_HEADERS = [f"x-stainless-{name}" for name in ("os", "arch", "runtime", "runtime-version")]


class OpenAIEmbedder:
    costs_nothing = False

    def __init__(
        self,
        key: Callable[[], str],
        base_url: str | None,
        calls: PaidCalls,
        settings: OpenAISettings,
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Make the embedder.

        Args:
            key: Gives the key; it is asked before each request, so that the key may change.
            base_url: The address of the API, ending in its version, such as /v1; None for OpenAI's.
            calls: The gate before paid calls.
            settings: What to ask of the provider.
            pause: Sleeps for some seconds.
        """
        self._key = key
        self._base_url = base_url
        self._calls = calls
        self._settings = settings
        self._pause = pause
        self.model = settings.producer
        self.max_inputs = settings.max_inputs
        self.max_tokens = settings.max_tokens
        self.max_in_flight = settings.max_in_flight
        self._in_flight = BoundedSemaphore(settings.max_in_flight_together)

    def count_tokens(self, text: str) -> int:
        """Count tokens by cl100k_base; for models that are not OpenAI's, this is an estimate."""
        return count_tokens(text)

    def embed(self, texts: Sequence[str], document: Document) -> Vectors:
        """Return one vector per text.

        Raises:
            PermanentError: text_too_long.
            IngestError: As the gate before paid calls, or one of the provider errors of the catalogue.
        """
        if not texts:
            return np.empty((0, VECTOR_DIMENSIONS), np.float32)
        for _ in range(self._settings.pauses):
            try:
                return self._embed_for(document, texts)
            except TransientError as error:
                if error.retry_after is None or error.retry_after > self._settings.longest_pause:
                    raise
                wait = error.retry_after
            self._pause(wait)
        return self._embed_for(document, texts)

    def embed_query(self, query: str, user_id: UserId) -> Vectors:
        """Return the query's vector.

        Unlike `embed`, this never waits for a Retry-After, because a person waits for the answer.
        """
        vector: Vectors = self._embed([query], user_id)[0]
        return vector

    def close(self) -> None:
        if "_client" in vars(self):
            self._client.close()

    def _embed_for(self, document: Document, texts: Sequence[str]) -> Vectors:
        payer = (document.user_id, document.document_id, document.fence)
        with self._in_flight:
            return self._embed(texts, *payer, correlation_id=document.correlation_id)

    def _embed(
        self,
        texts: Sequence[str],
        user_id: UserId,
        document_id: DocumentId | None = None,
        fence: int | None = None,
        *,
        correlation_id: str | None = None,
    ) -> Vectors:
        """Embed texts by one request.

        Its cost is booked even if its vectors are of no use, because the provider has charged for it.
        """
        settings = self._settings
        estimated = self._counted(texts)
        with self._calls.begin(PROVIDER.name, settings.usage(estimated), user_id, document_id, fence) as call:
            response = self._post(texts, correlation_id)
            answer = read_answer(response.content)
            tokens = used_tokens(answer)
            request_id = request_id_in(response.headers.get("x-request-id"))
            call.settle(settings.usage(estimated if tokens is None else tokens, request_id))
            return read_vectors(answer, len(texts), settings.expected_dimensions)

    def _counted(self, texts: Sequence[str]) -> int:
        counts = [count_tokens(text) for text in texts]
        if max(counts) > self._settings.max_text_tokens:
            raise PermanentError("text_too_long", found=max(counts), limit=self._settings.max_text_tokens)
        return sum(counts)

    def _post(self, texts: Sequence[str], correlation_id: str | None) -> "httpx2.Response":
        from openai import OpenAIError, omit  # noqa: PLC0415

        try:
            return self._client.embeddings.with_raw_response.create(
                model=self._settings.model,
                input=[text or " " for text in texts],  # the API refuses an empty input
                dimensions=self._settings.requested_dimensions or omit,
                extra_headers={} if correlation_id is None else {CORRELATION_HEADER: correlation_id},
            ).http_response
        except OpenAIError as error:
            failure = classify(error)
        raise failure  # raised here without context: the client's error holds the texts and the key

    @cached_property
    def _client(self) -> "OpenAI":
        import openai  # noqa: PLC0415  the import takes a second; only deployments that use OpenAI need it

        from ingest_assets.adapters.providers.openai.bounded import ask_plainly, bound  # noqa: PLC0415

        client = openai.OpenAI(
            api_key=partial(_usable, self._key),
            base_url=self._base_url,
            timeout=openai.Timeout(self._settings.answer_seconds, connect=self._settings.connect_seconds),
            max_retries=0,  # the queue retries
            http_client=openai.DefaultHttpxClient(
                follow_redirects=False,  # the texts go only to the configured server
                event_hooks={
                    "request": [_say_nothing_of_this_machine, ask_plainly],
                    "response": [partial(bound, seconds=self._settings.arrival_seconds)],
                },
            ),
        )
        finalize(self, client.close)
        return client


def _usable(key: Callable[[], str]) -> str:
    """Return the key if a header can hold it; the HTTP client's error message would repeat any other key."""
    read = key().strip()
    if not (read and read.isascii() and read.isprintable()):
        raise ResourceError("service_key_refused", name=NAME)
    return read


def _say_nothing_of_this_machine(request: "httpx2.Request") -> None:
    for name in MACHINE_HEADERS:
        request.headers.pop(name, None)
