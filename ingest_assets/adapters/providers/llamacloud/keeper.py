"""What Llama Cloud keeps of its jobs, and what it bills for them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from ingest_assets.adapters.providers.llamacloud.client import LlamaCloudClient
from ingest_assets.adapters.providers.llamacloud.settings import LlamaCloudSettings
from ingest_assets.adapters.providers.remote_parsing.settings import priced
from ingest_assets.domain.spending.costs import Usage

SECONDS = 20
"""The longest exchange. What fails has another turn, so nothing is tried twice in one."""
LISTING_SECONDS = 600
"""The longest reading of a list, of which each page is a request of its own. What is not read whole tells nothing."""
CREATION_SECONDS = 3600
"""How long after a request its job may be created at most."""


class LlamaCloudKeeper:
    def __init__(self, key: Callable[[], str], base_url: str | None, settings: LlamaCloudSettings) -> None:
        brief = replace(settings, request_tries=1, request_seconds=min(settings.request_seconds, SECONDS))
        self._client = LlamaCloudClient(key, base_url, brief, lambda _: False)

    def bill(self, remote_id: str) -> Usage | None:
        billed = self._client.credits(remote_id, SECONDS)
        return None if billed is None else priced(0, billed, remote_id)

    def find(self, asked: Mapping[UUID, datetime]) -> dict[UUID, list[str]]:
        return self._client.find(asked, CREATION_SECONDS, LISTING_SECONDS)

    def remove(self, remote_id: str) -> None:
        self._client.delete(remote_id, SECONDS)
