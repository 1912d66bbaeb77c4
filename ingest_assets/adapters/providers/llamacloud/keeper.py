"""What Llama Cloud keeps of its jobs, and what it bills for them."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from ingest_assets.adapters.providers.llamacloud.client import LlamaCloudClient
from ingest_assets.adapters.providers.llamacloud.settings import LlamaCloudSettings
from ingest_assets.adapters.providers.remote_parsing.settings import priced
from ingest_assets.domain.spending.costs import Usage


class LlamaCloudKeeper:
    def __init__(self, key: Callable[[], str], base_url: str | None, settings: LlamaCloudSettings) -> None:
        self._client = LlamaCloudClient(key, base_url, settings, lambda _: False)
        self._seconds = settings.seconds

    def bill(self, remote_id: str) -> Usage | None:
        billed = self._client.credits(remote_id, self._seconds)
        return None if billed is None else priced(0, billed, remote_id)

    def find(self, request_id: UUID, asked_at: datetime) -> str | None:
        return self._client.find(request_id, asked_at, self._seconds)

    def remove(self, remote_id: str) -> None:
        self._client.delete(remote_id, self._seconds)
