"""LlamaParse's v2 protocol: upload, job, list, cancel, delete; late bills, and signed callbacks."""

import hmac
import json
import threading
import urllib.request
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

from ingest_assets_tests.emulators.document_pages import BrokenFileError, pages_of
from ingest_assets_tests.emulators.llamaparse import HTML_PAGE, Fault, LlamaParseEmulator, RemoteJob, multipart
from ingest_assets_tests.emulators.server import Reply, Request, json_reply

ROOT = "/api/v2/parse"
STATUSES = {"PENDING": "RUNNING", "SUCCESS": "COMPLETED", "CANCELED": "CANCELLED"}
"""By v1's; any other means FAILED."""
MESSAGES = {
    "PDF_IS_PASSWORD_PROTECTED": "The file is password protected",
    "PDF_IS_BROKEN": "Corrupted file: it cannot be opened",
}
ENDS = {"COMPLETED": "parse.success", "FAILED": "parse.error", "CANCELLED": "parse.cancelled"}
NOT_OF_THE_RESULT = {"webhook_configurations", "user_metadata", "client_name", "disable_cache"}
PROJECT = "a-project"


class LlamaCloudEmulator(LlamaParseEmulator):
    """Also counts listings, cancels and deletions. A job's bill is there after `unbilled_looks` at it."""

    unbilled_looks = 0
    page_size = 2
    """How many jobs it lists at once, whatever is asked for."""
    endless = False
    """Whether its list goes on for ever, with pages that hold nothing and whose tokens are new."""
    listing_pause = 0.0
    """How many seconds it takes to list them."""

    def _route(self, request: Request) -> tuple[str, str | None, str | None]:
        parts = request.path.removeprefix(ROOT).strip("/").split("/")
        wanted = ",".join(request.query.get("expand", []))
        match request.method, parts:
            case "POST", ["upload"]:
                return "uploads", None, None
            case "POST", [job_id, "cancel"]:
                return "cancels", job_id, None
            case "DELETE", [job_id]:
                return "deletions", job_id, None
            case "GET", [""]:
                return "listings", None, None
            case "GET", [job_id]:
                is_result = "markdown" in wanted or "text" in wanted
                return "results" if is_result else "bills" if wanted else "polls", job_id, wanted
        return "unknown", None, None

    def _served(
        self, operation: str, job_id: str | None, result_type: str | None, request: Request, fault: Fault | None
    ) -> Reply:
        if operation == "uploads":
            return self._upload(request)
        if operation == "listings":
            return self._listed(request)
        job = self.jobs.get(job_id or "")
        if job is None:
            return json_reply(404, {"detail": "Parse job not found"})
        if operation == "cancels":
            return self._cancelled(job)
        if operation == "deletions":
            return self._deleted(job)
        if operation == "polls":
            self._look(job, fault)
        return json_reply(200, self._expanded(job, (result_type or "").split(","), fault))

    def _job(self, fields: dict[str, str], filename: str, content: bytes) -> RemoteJob:
        asked = json.loads(fields["configuration"])
        told = {name: value for name, value in asked.items() if name not in NOT_OF_THE_RESULT}
        fingerprint = sha256(content + json.dumps(told, sort_keys=True).encode()).hexdigest()
        cached = not asked.get("disable_cache") and fingerprint in self._cached
        job = RemoteJob(str(uuid4()), {"tier": asked["tier"]}, filename, [], fingerprint, cached)
        job.asked = asked
        if asked.get("webhook_configurations"):
            job.fields["webhook_url"] = asked["webhook_configurations"][0]["webhook_url"]
        try:
            job.pages = pages_of(content, filename)
        except BrokenFileError as broken:
            job.status, job.error_code = "ERROR", broken.code
        with self.lock:
            self.jobs[job.job_id] = job
            self.counts["jobs"] += 1
        return job

    def _refusal(self, fields: dict[str, str]) -> Reply | None:
        asked = json.loads(fields.get("configuration", "{}"))
        if not {"tier", "version"} <= set(asked):
            return json_reply(422, {"detail": "tier and version are required"})
        return None

    def _upload(self, request: Request) -> Reply:
        return self._refusal(multipart(request)[0]) or super()._upload(request)

    def _described(self, job: RemoteJob, status: str) -> dict[str, Any]:
        spoken = STATUSES.get(status, "FAILED")
        return {
            "id": job.job_id,
            "project_id": PROJECT,
            "status": spoken,
            "created_at": job.created_at.isoformat(),
            "tier": job.fields["tier"],
            "error_message": MESSAGES.get(job.error_code or "", "The job failed.") if spoken == "FAILED" else None,
            "user_metadata": job.asked.get("user_metadata"),
        }

    def _expanded(self, job: RemoteJob, wanted: list[str], fault: Fault | None) -> dict[str, Any]:
        described = self._described(job, job.status)
        answer: dict[str, Any] = {"job": described}
        if "usage" in wanted:
            ended = job.status != "PENDING"
            job.looks_at_bill += ended
            billed = ended and job.looks_at_bill > self.unbilled_looks
            described["usage"] = {"credits": self._credits(job) if billed else None}
        for kind in {"markdown", "text"} & set(wanted):
            if job.status == "SUCCESS" and not (kind == "markdown" and job.fields["tier"] == "fast"):
                answer[kind] = {"pages": _pages(job, kind, fault)}
        return answer

    def _credits(self, job: RemoteJob) -> float:
        return float(job.credits) if job.status == "SUCCESS" else 0.0

    def _listed(self, request: Request) -> Reply:
        threading.Event().wait(self.listing_pause)
        since, until = (
            datetime.fromisoformat(request.query.get(f"created_at_on_or_{bound}", [default])[0])
            for bound, default in (("after", "0001-01-01T00:00Z"), ("before", "9999-12-31T00:00Z"))
        )
        if self.endless:
            return json_reply(200, {"items": [], "next_page_token": f"page {self.counts['listings']}"})
        jobs = [job for job in self.jobs.values() if since <= job.created_at <= until]
        begin = int(request.query.get("page_token", ["0"])[0])
        end = begin + self.page_size
        items = [self._described(job, job.status) for job in jobs[begin:end]]
        return json_reply(200, {"items": items, "next_page_token": str(end) if end < len(jobs) else None})

    def _cancelled(self, job: RemoteJob) -> Reply:
        if job.status != "PENDING":
            return json_reply(409, {"detail": "The job has ended"})
        job.status = "CANCELED"
        return json_reply(200, self._described(job, job.status))

    def _deleted(self, job: RemoteJob) -> Reply:
        if job.status == "PENDING":
            return json_reply(409, {"detail": "The job has not ended"})
        del self.jobs[job.job_id]
        return json_reply(200, {"id": job.job_id, "project_id": PROJECT})

    def _call_back(self, job: RemoteJob) -> None:
        """Signed with the secret that the upload gave; a string that holds JSON, unless it asked for JSON."""
        asked = job.asked["webhook_configurations"][0]
        kind = ENDS[STATUSES.get(job.status, "FAILED")]
        if kind not in asked["webhook_events"]:
            return
        event = {
            "event_id": str(uuid4()),
            "event_type": kind,
            "timestamp": datetime.now(UTC).timestamp(),
            "data": {"id": job.job_id, "job_id": job.job_id},
        }
        body = json.dumps(event)
        if asked.get("webhook_output_format") != "json":
            body = json.dumps(body)
        signature = hmac.new(asked["webhook_signing_secret"].encode(), body.encode(), sha256).hexdigest()
        headers = {"Content-Type": "application/json", "LC-Signature": f"sha256={signature}"}
        self._deliver(job, urllib.request.Request(asked["webhook_url"], body.encode(), headers))


def _pages(job: RemoteJob, kind: str, fault: Fault | None) -> list[dict[str, Any]]:
    texts = {Fault.EMPTY_RESULT: [], Fault.HTML_PAGES: [HTML_PAGE]}.get(fault or Fault.PENDING, job.pages)
    return [{"page_number": number, kind: text, "success": True} for number, text in enumerate(texts, start=1)]
