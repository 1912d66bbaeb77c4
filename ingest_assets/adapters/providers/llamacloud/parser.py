"""Llama Cloud as a parser: a job whose creation was never answered is looked for, before another one is created."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from ingest_assets.adapters.providers.llamacloud.client import LlamaCloudClient
from ingest_assets.adapters.providers.llamacloud.settings import LlamaCloudSettings
from ingest_assets.adapters.providers.remote_parsing.parser import RemoteParser
from ingest_assets.adapters.providers.remote_parsing.result import ParseResult
from ingest_assets.domain.documents.document import Document
from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.spending.costs import Usage
from ingest_assets.domain.spending.remote_jobs import Unanswered
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.providers import PaidCalls, RemoteJobs


class LlamaCloudParser(RemoteParser):
    """The parser. Any number of threads may call it."""

    names_requests = True
    _client: LlamaCloudClient

    def __init__(
        self,
        key: Callable[[], str],
        base_url: str | None,
        calls: PaidCalls,
        remote_jobs: RemoteJobs,
        settings: LlamaCloudSettings,
        clock: Clock,
    ) -> None:
        """Make the parser.

        Args:
            key: Gives the key; it is asked for each exchange, so that the key may change.
            base_url: The address of a region, without a path; None for the default.
            calls: The gate before paid calls.
            remote_jobs: The provider's jobs.
            settings: What to ask of the provider.
            clock: Measures how long the provider works, and how long the database is away.
        """
        client = LlamaCloudClient(key, base_url, settings, remote_jobs.completed)
        super().__init__(client, calls, remote_jobs, settings, clock)

    def _paid(self, content: bytes, document: Document, pages: int) -> ParseResult:
        """Fetch the result of an upload whose answer was lost or, if there is none, upload the document.

        An upload is never repeated at once: the provider may still be creating the job.
        """
        asked = self._remote_jobs.unanswered(document, self.producer)
        result = None if asked is None else self._of_lost_upload(asked, document, pages)
        if result is not None:
            return result
        try:
            return self._paid_once(content, document, pages)
        except IngestError:
            now_asked = self._remote_jobs.unanswered(document, self.producer)
            if now_asked in (None, asked):
                raise
            with suppress(IngestError):  # the next attempt looks for it, too
                result = self._of_lost_upload(now_asked, document, pages)
            if result is None:
                raise
            return result

    def _of_lost_upload(self, asked: Unanswered, document: Document, pages: int) -> ParseResult | None:
        patience = self._settings.patience(pages)
        with self._calls.attributing_failures(self._provider, document.document_id):
            [found] = self._client.find({asked.request_id: asked.asked_at}, patience, patience).values()
        if not found:
            return None
        for remote_id in found[1:]:
            self._leave(remote_id, asked, document, pages)
        self._remember(found[0], asked.call_id, document)
        job = self._remote_jobs.recall(document, self.producer)
        return None if job is None else self._resumed(job, document, pages)

    def _leave(self, remote_id: str, asked: Unanswered, document: Document, pages: int) -> None:
        """Leave a job of the same request to be removed, as a call of its own, because the provider charges for it."""
        used = replace(self._settings.usage(pages), request_id=remote_id)
        with self._calls.begin(self._provider, Usage(), document.user_id, document.document_id) as call:
            call.settle(used)
            self._remote_jobs.leave(replace(asked, call_id=call.call_id), self.producer, remote_id)
