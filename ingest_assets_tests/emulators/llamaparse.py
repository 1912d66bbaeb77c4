"""LlamaParse's v1 protocol: upload, job status, result; its 48-hour cache, its bill and its callback."""

import json
import threading
import urllib.request
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import uuid4

from ingest_assets_tests.emulators.document_pages import BrokenFileError, pages_of
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

KEY = "llx-emulated-key"
CREDITS_PER_PAGE = {"fast": 1, "cost_effective": 3, "agentic": 10, "agentic_plus": 45}
DEFAULT_TIER = "cost_effective"
HTML_PAGE = "<!DOCTYPE html>\n<html><body><h1>Sign in</h1></body></html>"
JSON_RESULT_TYPES = {"json": "pages", "markdown": "markdown", "text": "text"}
UNCACHED_FIELDS = {"webhook_url", "do_not_cache", "from_python_package", "save_images"}


class Fault(StrEnum):
    BUSY = "429"
    BUSY_WITH_RETRY_AFTER = "429 with Retry-After"
    BUSY_FOR_AN_HOUR = "429 with Retry-After of an hour"
    AWAY = "503 with Retry-After"
    SERVER_ERROR = "500"
    BAD_GATEWAY = "502 with HTML"
    UNAUTHORISED = "401"
    UNPAID = "402"
    FORBIDDEN = "403"
    MISSING = "404"
    INVALID = "422"
    RESET = "connection reset before the call is served"
    LOST_ANSWER = "connection reset after the call is served"
    SLOW_GATEWAY = "504 after the call is served"
    HASTY_GATEWAY = "503 after the call is served"
    STALL = "no answer"
    TRUNCATED = "JSON that ends in the middle"
    HTML_ANSWER = "200 with HTML"
    JOB_ERROR = "status ERROR"
    JOB_CANCELED = "status CANCELED"
    PARTIAL_SUCCESS = "status PARTIAL_SUCCESS"
    PENDING = "status PENDING once more"
    EMPTY_RESULT = "result without pages"
    HTML_PAGES = "result whose page is an HTML document"


TRANSPORT_FAULTS = (
    Fault.BUSY,
    Fault.BUSY_WITH_RETRY_AFTER,
    Fault.SERVER_ERROR,
    Fault.BAD_GATEWAY,
    Fault.RESET,
    Fault.LOST_ANSWER,
    Fault.TRUNCATED,
)
"""These pass by themselves, and cost no time."""

_REFUSALS = {
    Fault.BUSY: (429, {}),
    Fault.BUSY_WITH_RETRY_AFTER: (429, {"Retry-After": "1"}),
    Fault.BUSY_FOR_AN_HOUR: (429, {"Retry-After": "3600"}),
    Fault.SERVER_ERROR: (500, {}),
    Fault.AWAY: (503, {}),
    Fault.UNAUTHORISED: (401, {}),
    Fault.UNPAID: (402, {}),
    Fault.FORBIDDEN: (403, {}),
    Fault.MISSING: (404, {}),
    Fault.INVALID: (422, {}),
}
_BROKEN = {Fault.RESET: RESET, Fault.STALL: STALL, Fault.BAD_GATEWAY: BAD_GATEWAY}
_AFTERWARDS = {
    Fault.HTML_ANSWER: Reply(200, HTML_PAGE.encode(), {"Content-Type": "text/html"}),
    Fault.LOST_ANSWER: RESET,
    Fault.SLOW_GATEWAY: json_reply(504, {"detail": "504 by plan"}),
    Fault.HASTY_GATEWAY: json_reply(503, {"detail": "503 by plan"}),
}
_JOB_ENDS = {
    Fault.JOB_ERROR: "ERROR",
    Fault.JOB_CANCELED: "CANCELED",
    Fault.PARTIAL_SUCCESS: "PARTIAL_SUCCESS",
}


@dataclass
class RemoteJob:
    job_id: str
    fields: dict[str, str]
    filename: str
    pages: list[str]
    fingerprint: str
    cached: bool
    status: str = "PENDING"
    error_code: str | None = None
    polls: int = 0
    asked: dict[str, Any] = field(default_factory=dict)
    """What a v2 upload asked for."""
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    looks_at_bill: int = 0
    callback_status: int | None = None
    called_back: threading.Event = field(default_factory=threading.Event)

    @property
    def credits(self) -> int:
        tier = self.fields.get("tier", DEFAULT_TIER)
        return 0 if self.cached else CREDITS_PER_PAGE[tier] * len(self.pages)


class LlamaParseEmulator(Emulator):
    """A job is done after `pending_polls` of its status; one with a webhook, when `finish` is called or by itself."""

    def __init__(
        self, plan: Plan | None = None, *, keys: Sequence[str] = (KEY,), pending_polls: int = 1, calls_back: bool = True
    ) -> None:
        super().__init__(plan)
        self.keys = set(keys)
        self.pending_polls = pending_polls
        self.calls_back = calls_back
        self.repeated: str | None = None
        """The id that it says every new job has, if it confuses them."""
        self.away_until = "3600"
        """The Retry-After of a 503."""
        self.jobs: dict[str, RemoteJob] = {}
        self.counts: Counter[str] = Counter()
        """uploads, polls, results; jobs, cache_hits; pages and credits, as billed when a job succeeds."""
        self.requests: list[Request] = []
        self._plans: dict[str, Plan] = {}
        self._cached: set[str] = set()

    def script(self, operation: str, *faults: Fault | None) -> None:
        """What the next calls of "uploads", "polls" or "results" meet, in order, before the plan for all calls."""
        self._plans[operation] = Plan(faults)

    def finish(self, job_id: str) -> None:
        """Ends a job as its pages are, and calls back where the upload asked for it."""
        job = self.jobs[job_id]
        self._succeed(job)
        if "webhook_url" in job.fields:
            self._call_back(job)

    def answer(self, request: Request) -> Reply:
        operation, job_id, result_type = self._route(request)
        with self.lock:
            self.counts[operation] += 1
            self.requests.append(request)
        fault = self._fault(operation)
        if fault in _BROKEN:
            return _BROKEN[fault]
        if not self._authorised(request):
            return json_reply(401, {"detail": "Invalid authentication token"})
        if fault in _REFUSALS:
            status, headers = _REFUSALS[fault]
            if fault is Fault.AWAY:
                headers = {"Retry-After": self.away_until}
            return json_reply(status, {"detail": f"{status} by plan"}, headers)
        reply = self._served(operation, job_id, result_type, request, fault)
        return truncated(reply) if fault is Fault.TRUNCATED else _AFTERWARDS.get(fault or Fault.PENDING, reply)

    def _fault(self, operation: str) -> Fault | None:
        scripted = self._plans.get(operation)
        planned = scripted.next() if scripted else None
        planned = planned or self.next_fault()
        return None if planned is None else Fault(planned)

    def _authorised(self, request: Request) -> bool:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        return scheme == "Bearer" and key in self.keys

    def _served(
        self, operation: str, job_id: str | None, result_type: str | None, request: Request, fault: Fault | None
    ) -> Reply:
        if operation == "uploads":
            return self._upload(request)
        job = self.jobs.get(job_id or "")
        if job is None:
            return json_reply(404, {"detail": "Job not found"})
        if operation == "polls":
            return self._status(job, fault)
        return _result(job, result_type or "json", fault)

    def _upload(self, request: Request) -> Reply:
        fields, files = multipart(request)
        if "file" not in files or not files["file"][1]:
            return json_reply(400, {"detail": "The file is empty"})
        filename, content = files["file"]
        job = self._job(fields, filename, content)
        if "webhook_url" in job.fields and self.calls_back and job.status == "PENDING":
            threading.Thread(target=self.finish, args=[job.job_id], daemon=True).start()
        described = self._described(job, "PENDING")
        return json_reply(200, described if self.repeated is None else {**described, "id": self.repeated})

    def _job(self, fields: dict[str, str], filename: str, content: bytes) -> RemoteJob:
        told = {name: value for name, value in fields.items() if name not in UNCACHED_FIELDS}
        fingerprint = sha256(content + json.dumps(told, sort_keys=True).encode()).hexdigest()
        uncached = fields.get("do_not_cache") == "true"
        cached = not uncached and fingerprint in self._cached
        job = RemoteJob(str(uuid4()), fields, filename, [], fingerprint, cached)
        try:
            job.pages = pages_of(content, filename)
        except BrokenFileError as broken:
            job.status, job.error_code = "ERROR", broken.code
        with self.lock:
            self.jobs[job.job_id] = job
            self.counts["jobs"] += 1
        return job

    def _status(self, job: RemoteJob, fault: Fault | None) -> Reply:
        self._look(job, fault)
        return json_reply(200, self._described(job, job.status))

    def _look(self, job: RemoteJob, fault: Fault | None) -> None:
        if fault in _JOB_ENDS:
            job.status, job.error_code = _JOB_ENDS[fault], "INTERNAL_ERROR"
        elif fault is not Fault.PENDING:
            job.polls += 1
            if job.polls > self.pending_polls:
                self._succeed(job)

    def _succeed(self, job: RemoteJob) -> None:
        with self.lock:
            if job.status != "PENDING":
                return
            job.status = "SUCCESS"
            self._cached.add(job.fingerprint)
            self.counts["cache_hits"] += job.cached
            self.counts["pages"] += 0 if job.cached else len(job.pages)
            self.counts["credits"] += job.credits

    def _route(self, request: Request) -> tuple[str, str | None, str | None]:
        """The operation, the job and the kind of result. Served below /api/parsing and /api/v1/parsing."""
        path = request.path.replace("/api/v1/", "/api/", 1).removeprefix("/api/parsing/")
        parts = path.split("/")
        if request.method == "POST" and parts == ["upload"]:
            return "uploads", None, None
        if request.method == "GET" and parts[0] == "job":
            if len(parts) == 2:
                return "polls", parts[1], None
            return "results", parts[1], "/".join(parts[3:])
        return "unknown", None, None

    def _described(self, job: RemoteJob, status: str) -> dict[str, Any]:
        failed = status not in {"PENDING", "SUCCESS"}
        message = "The job failed." if failed else None
        return {
            "id": job.job_id,
            "status": status,
            "error_code": job.error_code if failed else None,
            "error_message": message,
        }

    def _call_back(self, job: RemoteJob) -> None:
        """Unsigned, as v1 does it: only who was given the address can call it."""
        pages = _pages(job, None)
        body = {
            "txt": "\n---\n".join(page["text"] for page in pages),
            "md": "\n---\n".join(page["md"] for page in pages),
            "json": pages,
            "images": [],
        }
        request = urllib.request.Request(
            job.fields["webhook_url"],
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "User-Agent": "LlamaParse"},
        )
        self._deliver(job, request)

    def _deliver(self, job: RemoteJob, request: urllib.request.Request) -> None:
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                job.callback_status = response.status
        except OSError as error:
            job.callback_status = getattr(error, "code", 0)
        finally:
            job.called_back.set()


def multipart(request: Request) -> tuple[dict[str, str], dict[str, tuple[str, bytes]]]:
    """The fields and the files, each file with its name."""
    boundary = request.headers["content-type"].partition("boundary=")[2].strip('"').encode()
    fields: dict[str, str] = {}
    files: dict[str, tuple[str, bytes]] = {}
    for part in request.body.split(b"--" + boundary)[1:-1]:
        head, _, body = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        body = body.removesuffix(b"\r\n")
        names = dict(item.split("=", 1) for item in head.decode().splitlines()[0].split("; ")[1:])
        name = names["name"].strip('"')
        if "filename" in names:
            files[name] = (names["filename"].strip('"'), body)
        else:
            fields[name] = body.decode()
    return fields, files


def _result(job: RemoteJob, result_type: str, fault: Fault | None) -> Reply:
    if job.status != "SUCCESS":
        return json_reply(404, {"detail": "Result not found. Check job status to see if it has completed."})
    pages = _pages(job, fault)
    whole = {
        "pages": pages,
        "markdown": "\n---\n".join(page["md"] for page in pages),
        "text": "\n---\n".join(page["text"] for page in pages),
    }
    if result_type.startswith("raw/"):
        return Reply(200, str(whole[JSON_RESULT_TYPES[result_type[4:]]]).encode(), {"Content-Type": "text/plain"})
    kind = JSON_RESULT_TYPES[result_type]
    return json_reply(200, {kind: whole[kind], "job_metadata": _metadata(job)})


def _pages(job: RemoteJob, fault: Fault | None) -> list[dict[str, Any]]:
    texts = {Fault.EMPTY_RESULT: [], Fault.HTML_PAGES: [HTML_PAGE]}.get(fault or Fault.PENDING, job.pages)
    fast = job.fields.get("tier") == "fast"
    return [
        {"page": number, "text": text, "md": "" if fast else text, "images": [], "items": [], "status": "OK"}
        for number, text in enumerate(texts, start=1)
    ]


def _metadata(job: RemoteJob) -> dict[str, Any]:
    return {
        "job_pages": len(job.pages),
        "job_credits_usage": job.credits,
        "job_auto_mode_triggered_pages": 0,
        "job_is_cache_hit": job.cached,
        "credits_used": job.credits,
        "credits_max": 1_000_000,
    }
