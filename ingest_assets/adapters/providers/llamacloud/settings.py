"""What to ask of Llama Cloud."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ingest_assets.adapters.providers.llamacloud.provider import PROVIDER
from ingest_assets.adapters.providers.remote_parsing.settings import RemoteParsingSettings, Tier

VERSIONS = {
    Tier.FAST: "2026-06-15",
    Tier.COST_EFFECTIVE: "2026-09-28",
    Tier.AGENTIC: "2026-10-16",
    Tier.AGENTIC_PLUS: "2026-09-28",
}
"""The newest version of each tier when this was written: a version does not change what it makes of a document."""

REQUEST_ID = "request_id"
"""The tag of a job by which it is found again."""


@dataclass(frozen=True, slots=True)
class LlamaCloudSettings(RemoteParsingSettings):
    provider = PROVIDER
    revision = 1

    tier_version: str = ""
    """A dated version of the tier; by default, the one in VERSIONS."""

    @property
    def version(self) -> str:
        return self.tier_version or VERSIONS[self.tier]

    @property
    def content(self) -> str:
        """Return the kind of result to ask for; the fast tier gives only text."""
        return "text" if self.tier is Tier.FAST else "markdown"

    def configuration(self, request_id: UUID, secret: str, callback_url: str | None) -> dict[str, Any]:
        """Return how a document is to be parsed: whole, or not at all."""
        asked: dict[str, Any] = {
            "tier": self.tier.value,
            "version": self.version,
            "client_name": "ingest-assets",
            "disable_cache": self.do_not_cache,
            "processing_control": {"job_failure_conditions": {"allowed_page_failure_ratio": 0}},
            "user_metadata": {REQUEST_ID: str(request_id)},
        }
        if self.language:
            asked["processing_options"] = {"ocr_parameters": {"languages": [self.language]}}
        if callback_url is not None:
            asked["webhook_configurations"] = [
                {
                    "webhook_url": callback_url,
                    "webhook_events": list(ENDS),
                    "webhook_output_format": "json",  # by default, the body is a string that holds JSON
                    "webhook_signing_secret": secret,
                }
            ]
        return asked


ENDS = ("parse.success", "parse.partial_success", "parse.error", "parse.cancelled")
"""The events that end a job."""
