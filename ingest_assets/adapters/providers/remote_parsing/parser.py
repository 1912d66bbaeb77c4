"""A provider as a parser: each document is paid for once, no matter which worker fetches the result."""

from dataclasses import replace
from functools import partial
from typing import Any, ClassVar
from uuid import uuid4

from ingest_assets.adapters.providers.remote_parsing.client import RemoteParsingClient, Upload
from ingest_assets.adapters.providers.remote_parsing.durations import UsualDurations
from ingest_assets.adapters.providers.remote_parsing.failures import NAME, REMOTE_JOB_ENDED, leaves_no_job
from ingest_assets.adapters.providers.remote_parsing.result import ParseResult
from ingest_assets.adapters.providers.remote_parsing.settings import PAGED, SUPPORTED, RemoteParsingSettings
from ingest_assets.domain.documents.document import Document, ParsedDocument, Producer
from ingest_assets.domain.errors import IngestError, PermanentError, TransientError
from ingest_assets.domain.files.file_types import FileType
from ingest_assets.domain.files.page_estimate import estimated_pages
from ingest_assets.domain.spending.costs import Usage
from ingest_assets.domain.spending.remote_jobs import RemoteJob
from ingest_assets.domain.text.embedded_data import without_embedded_data
from ingest_assets.domain.text.normalisation import has_words, join_pages
from ingest_assets.pipeline.outages import outlasting
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.providers import PaidCall, PaidCalls, RemoteJobs

REPEATED = "service_job_repeated"
"""The code of the error for an answer that names another request's job."""


class RemoteParser:
    """The parser. Any number of threads may call it."""

    names_requests: ClassVar[bool] = False
    """Whether the provider is told an id of each upload, by which its job is found if the answer is lost."""

    def __init__(
        self,
        client: RemoteParsingClient[Any],
        calls: PaidCalls,
        remote_jobs: RemoteJobs,
        settings: RemoteParsingSettings,
        clock: Clock,
    ) -> None:
        self.producer = settings.producer
        self._provider = settings.provider.name
        self._client = client
        self._calls = calls
        self._remote_jobs = remote_jobs
        self._settings = settings
        self._clock = clock
        self._usual = UsualDurations(settings.provider.pace)

    def producer_of(self, media_type: str) -> Producer:  # noqa: ARG002  the same tool for every type
        return self.producer

    def costs_nothing(self, media_type: str) -> bool:  # noqa: ARG002  every page costs money
        return False

    def supports(self, media_type: str) -> bool:
        return media_type in SUPPORTED

    def parse(self, content: bytes, document: Document) -> ParsedDocument:
        """Parse a document, or fetch the result of an earlier upload.

        Raises:
            PermanentError: unsupported, encrypted, corrupt or empty_output.
            TransientError: timeout.
            IngestError: As the gate before paid calls, or one of the provider errors of the catalogue.
        """
        if not self.supports(document.media_type):
            raise PermanentError("unsupported")
        pages = estimated_pages(content, document.media_type)
        job = self._remote_jobs.recall(document, self.producer)
        result = None if job is None else self._resumed(job, document, pages)
        return self._parsed(result or self._paid(content, document, pages), document)

    def _resumed(self, job: RemoteJob, document: Document, pages: int) -> ParseResult | None:
        """Return the result of an earlier upload, or None if the provider has forgotten it."""
        try:
            with self._calls.attributing_failures(self._provider, document.document_id):
                result = self._awaited(job.remote_id, document, pages)
        except IngestError as error:
            if error.code == "service_job_gone":  # nobody can tell any more what it has cost
                return None
            if error.code in REMOTE_JOB_ENDED and not job.booked and job.call_id is not None:
                self._calls.reconcile(job.call_id, None)
            raise
        if not job.booked:  # the worker that uploaded it crashed first
            self._await_bill(result, document)
            self._book(job, result.usage, document)
        return result

    def _await_bill(self, result: ParseResult, document: Document) -> None:
        if not result.is_billed:
            self._remote_jobs.await_bill(document, self.producer, result.remote_id)

    def _book(self, job: RemoteJob, used: Usage, document: Document) -> None:
        if job.call_id is not None:
            self._calls.reconcile(job.call_id, used)
        else:
            with self._calls.begin(self._provider, Usage(), document.user_id, document.document_id) as call:
                call.settle(used)
        self._note_booked(job.remote_id, document)

    def _note_booked(self, remote_id: str, document: Document) -> None:
        outlasting(lambda: self._remote_jobs.book(document, self.producer, remote_id), self._clock)

    def _paid(self, content: bytes, document: Document, pages: int) -> ParseResult:
        """Upload the document and return the result; an upload whose answer is lost is repeated once.

        The provider may charge for both, so each is a call of its own in the ledger.
        """
        try:
            return self._paid_once(content, document, pages)
        except IngestError as error:
            if (
                not error.may_have_cost
                or isinstance(error, PermanentError)
                or self._remote_jobs.recall(document, self.producer) is not None
            ):
                raise
        return self._paid_once(content, document, pages)

    def _paid_once(self, content: bytes, document: Document, pages: int) -> ParseResult:
        estimate = self._settings.usage(pages)
        remembered = None
        try:
            payer = (document.user_id, document.document_id, document.fence)
            with self._calls.begin(self._provider, estimate, *payer) as call:
                remote_id = self._upload(content, document, pages, call.call_id)
                self._accept(call, replace(estimate, request_id=remote_id), remote_id, document)
                remembered = remote_id
                return self._settled(call, remote_id, document, pages)
        finally:
            if remembered is not None:
                self._note_booked(remembered, document)

    def _accept(self, call: PaidCall, expected: Usage, remote_id: str, document: Document) -> None:
        """Settle the call, because the provider charges even if no worker waits for the result, and keep the job.

        For a job that the provider had named before, another call pays; what this one costs is uncertain. A provider
        that is told no request id cannot be asked for the right job, and another upload may cost as much again.
        """
        is_new = True
        try:
            self._remember(remote_id, call.call_id, document)
        except IngestError as error:
            is_new = error.code != REPEATED
            if is_new or self.names_requests:
                raise
            raise _unidentified() from None
        finally:
            if is_new:
                call.settle(expected)

    def _remember(self, remote_id: str, call_id: int | None, document: Document) -> None:
        """Keep what is paid for from being paid again, even if the database is away for a while."""
        remember = partial(self._remote_jobs.remember, document, self.producer, remote_id, call_id)
        outlasting(remember, self._clock)

    def _upload(self, content: bytes, document: Document, pages: int, call_id: int) -> str:
        request_id = uuid4()
        told = request_id if self.names_requests else None
        secret = self._remote_jobs.prepare(document, self.producer, call_id, told)
        # The provider never sees the file's name, which may tell whose document it is.
        filename = f"document.{FileType(document.media_type).extensions[0]}"
        try:
            return self._client.upload(Upload(content, filename, secret, request_id), self._settings.patience(pages))
        except IngestError as error:
            if self.names_requests and leaves_no_job(error):
                self._remote_jobs.withdraw(request_id)
            raise

    def _settled(self, call: PaidCall, remote_id: str, document: Document, pages: int) -> ParseResult:
        begun_at = self._clock.seconds()
        try:
            result = self._awaited(remote_id, document, pages)
        except IngestError as error:
            if error.code in REMOTE_JOB_ENDED:  # failed remote jobs cost nothing
                call.settle(Usage(request_id=remote_id))
            raise
        self._usual.learn(pages, self._clock.seconds() - begun_at)
        self._await_bill(result, document)
        call.settle(result.usage)
        return result

    def _awaited(self, remote_id: str, document: Document, pages: int) -> ParseResult:
        try:
            return self._client.result(remote_id, self._settings.patience(pages), self._usual.of(pages))
        except IngestError as error:
            if error.code in REMOTE_JOB_ENDED:
                self._remote_jobs.forget(document, self.producer, remote_id)
            raise

    def _parsed(self, result: ParseResult, document: Document) -> ParsedDocument:
        text, starts = join_pages(map(without_embedded_data, result.pages))
        if not has_words(text) or result.holds_web_page:
            self._remote_jobs.forget(document, self.producer, result.remote_id)
        if not has_words(text):
            raise PermanentError("empty_output")
        if result.holds_web_page:
            raise TransientError("service_result_unusable", name=NAME)
        return ParsedDocument(text, starts if document.media_type in PAGED else (), self.producer)


def _unidentified() -> IngestError:
    """Return the error for an upload whose job nobody can name; the provider may have made one all the same."""
    failure = PermanentError("service_job_unidentified", name=NAME)
    failure.may_have_cost = True
    return failure
