"""LlamaParse calls the HTTP service back, and the parse that waits in another place goes on."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.queue.stages import State
from ingest_assets.settings import Settings
from ingest_assets_tests.documents import attempt, submit
from ingest_assets_tests.emulators import llamaparse
from ingest_assets_tests.emulators.llamaparse import LlamaParseEmulator
from ingest_assets_tests.http.api import SECRET, serving
from ingest_assets_tests.sample_files import pdf


@pytest.mark.timeout(120)
def test_a_callback_ends_the_wait_without_another_poll(database_url: str, tmp_path: Path, user: UserId) -> None:
    settings = Settings(
        home=tmp_path,
        database_url=SecretStr(database_url),
        jwt_secret=SecretStr(SECRET),
        llama_cloud_api_key=SecretStr(llamaparse.KEY),
        embedder="local",
    )
    listening = Deployment(settings)
    with serving(listening, user) as api, LlamaParseEmulator(pending_polls=1_000_000) as service:
        callback_url = f"{api.url}/v1/webhooks/llamaparse"
        working = Deployment(
            settings.model_copy(update={"llama_cloud_base_url": service.url, "llamaparse_callback_url": callback_url})
        )
        deployment = working.replacing(jitter=lambda: 0.0)
        document_id = submit(deployment, user, pdf("The walrus is covered."), "policy.pdf").document_id
        [job] = deployment.claims.claim("worker", 1, deployment.settings.lease)
        with ThreadPoolExecutor(1) as worker:
            attempted = worker.submit(attempt, deployment, job)
            while not service.jobs:
                assert not attempted.done()
            [remote] = service.jobs.values()
            service.finish(remote.job_id)
            assert attempted.result()
        assert remote.called_back.is_set()
        assert remote.callback_status == 200
        assert deployment.documents.states([document_id]) == {State.DONE: 1}
        working.close()
    listening.close()
