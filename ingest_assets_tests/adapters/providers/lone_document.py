"""The part of a gate before paid calls that concerns other documents and other workers, where there are none."""

from contextlib import nullcontext

import pytest

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.spending.costs import Usage
from ingest_assets.domain.spending.providers import ProviderName


class LoneDocument:
    """Leaves every failure as it is; no worker has left a call to be settled."""

    def attributing_failures(self, provider: ProviderName, document_id: DocumentId | None) -> nullcontext[None]:  # noqa: ARG002  no others
        return nullcontext()

    def reconcile(self, call_id: int, usage: Usage | None) -> None:  # noqa: ARG002  there is none
        pytest.fail("no worker left this call")

    def bill(self, call_id: int, usage: Usage) -> None:  # noqa: ARG002  there is none
        pytest.fail("no provider sent a bill for this call")

    def release(self, call_id: int) -> None:  # noqa: ARG002  there is none
        pytest.fail("nobody has asked what this call has cost")
