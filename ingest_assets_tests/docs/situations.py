"""What the runbooks are about, made true: a deployment in trouble, and what each page's placeholders stand for."""

import re
import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets_tests.cli.failing_world import PATIENT, error_of
from ingest_assets_tests.docs.pages import ROOT
from ingest_assets_tests.documents import LEASE, drain_all, policy_text, submit
from ingest_assets_tests.emulators.openai import KEY, OpenAIEmulator
from ingest_assets_tests.pgbouncer import PGBOUNCER, pooled
from ingest_assets_tests.sample_files import pdf
from ingest_assets_tests.seaweedfs import KEY as KEY_OF_BUCKETS
from ingest_assets_tests.seaweedfs import SECRET, WEED, seaweedfs
from ingest_assets_tests.supabase import LOGIN, below_a_path
from ingest_assets_tests.supabase import supabase as empty_project

PLACEHOLDER = re.compile(r"(?<![\w-])[A-Z][A-Z_]+(?![\w-])")


@dataclass
class Trouble:
    """A deployment of the page's own, and what is done to it."""

    deployment: Deployment
    folder: Path
    user: UserId
    empty_url: Callable[[], str]
    """Makes an empty database."""
    stack: ExitStack
    """Ended with the page."""
    placeholders: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    before: dict[str, Callable[[], None]] = field(default_factory=dict)
    """What happens in the world before the blocks below a heading."""

    def written(self, name: str) -> Path:
        path = self.folder / name
        path.write_text(policy_text(path.stem, 2))
        return path

    def submit(self, path: Path) -> DocumentId:
        """Take a file in; the page's DOCUMENT is the one that came last."""
        document = submit(self.deployment, self.user, path.read_bytes(), path.name, source=str(path)).document_id
        self.placeholders["DOCUMENT"] = str(document)
        return document

    def drain(self) -> None:
        drain_all(self.deployment)

    def fail(self, code: str) -> None:
        """Let every attempt fail, until nothing is tried for an hour."""
        failures = self.deployment.replacing(retry_policy=PATIENT).failures
        while jobs := self.deployment.claims.claim("worker", 100, LEASE):
            for job in jobs:
                failures.settle(job, error_of(code), reported=False)

    def filled_in(self, text: str) -> str:
        return PLACEHOLDER.sub(lambda found: self.placeholders.get(found[0], found[0]), text)


def replace(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def dead_letters(trouble: Trouble) -> None:
    path = trouble.folder / "policy.pdf"
    path.write_bytes(pdf("Hail is covered.", user_password="secret"))  # noqa: S106
    trouble.submit(path)
    trouble.drain()
    trouble.before["What to do"] = lambda: replace(path, pdf("Hail is covered."))


def stuck_queue(trouble: Trouble) -> None:
    trouble.submit(trouble.written("waiting.md"))


def keys(trouble: Trouble) -> None:
    trouble.submit(trouble.written("policy.md"))
    trouble.fail("service_key_refused")
    trouble.before["Encrypt stored documents"] = trouble.drain


def provider_outage(trouble: Trouble) -> None:
    use_openai(trouble)
    (trouble.folder / "new-key").write_text(KEY)
    used = trouble.folder / "openai-key"
    used.write_text("sk-revoked")
    trouble.environment["OPENAI_API_KEY_FILE"] = str(used)
    trouble.submit(trouble.written("policy.md"))
    trouble.fail("service_key_refused")


def budget(trouble: Trouble) -> None:
    use_openai(trouble)
    trouble.environment |= {"OPENAI_API_KEY": KEY, "INGEST_BUDGET_USD_PER_DAY": "0.000001"}
    trouble.submit(trouble.written("policy.md"))
    trouble.fail("budget_spent")


def new_embedding_model(trouble: Trouble) -> None:
    use_openai(trouble)
    trouble.environment |= {"OPENAI_API_KEY": KEY, "INGEST_EMBEDDER": "local"}
    one_document(trouble)


def tutorial(trouble: Trouble) -> None:
    policies = trouble.folder / "policies"
    policies.mkdir()
    shutil.copy(ROOT / "examples" / "documents" / "household-contents-faq.md", policies)
    (policies / "letter.pdf").write_bytes(pdf("Hail is covered.", user_password="secret"))  # noqa: S106
    (trouble.folder / "letter-without-password.pdf").write_bytes(pdf("Hail is covered."))


def own_postgres(trouble: Trouble) -> None:
    trouble.placeholders["NEW_DATABASE_URL"] = trouble.empty_url()
    trouble.written("policy.md")


def supabase(trouble: Trouble) -> None:
    if PGBOUNCER is None:
        pytest.skip("pgbouncer is not installed: no pooler was tried")
    if not WEED.exists():
        pytest.skip("SeaweedFS is not installed (`make servers`): no bucket was tried")
    folders = [Path(trouble.stack.enter_context(TemporaryDirectory(prefix="sb-"))) for _ in range(3)]
    direct = trouble.stack.enter_context(empty_project(folders[0])).url(user=LOGIN)
    pooler = trouble.stack.enter_context(pooled(direct, folders[1]))
    buckets = trouble.stack.enter_context(seaweedfs(folders[2]))
    endpoint = trouble.stack.enter_context(below_a_path(buckets.endpoint))
    trouble.environment["INGEST_DAGSTER_DATABASE_URL"] = trouble.empty_url()
    trouble.placeholders |= {"POOLED_DATABASE_URL": pooler, "DIRECT_DATABASE_URL": direct}
    trouble.placeholders |= {"STORAGE_ENDPOINT": endpoint, "ACCESS_KEY": KEY_OF_BUCKETS, "SECRET_KEY": SECRET}
    trouble.written("policy.md")


def backup_and_restore(trouble: Trouble) -> None:
    trouble.placeholders["NEW_DATABASE_URL"] = trouble.empty_url()
    one_document(trouble)


def one_document(trouble: Trouble) -> None:
    trouble.submit(trouble.written("policy.md"))
    trouble.drain()


def use_openai(trouble: Trouble) -> None:
    emulator = trouble.stack.enter_context(OpenAIEmulator())
    trouble.environment["OPENAI_BASE_URL"] = emulator.base_url


SITUATIONS: Mapping[str, Callable[[Trouble], None]] = {
    "tutorial": tutorial,
    "dead-letters": dead_letters,
    "stuck-queue": stuck_queue,
    "keys": keys,
    "provider-outage": provider_outage,
    "budget": budget,
    "new-embedding-model": new_embedding_model,
    "own-postgres": own_postgres,
    "supabase": supabase,
    "backup-and-restore": backup_and_restore,
    "delete-user-data": one_document,
}
"""By page; on the others, everything is fine."""
WITH_AN_OLDER_SCHEMA = {"upgrade"}
"""Migrations are missing that this code can do without, as after the release before it."""
