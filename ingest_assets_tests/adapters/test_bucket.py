"""Objects in a bucket of a real server that speaks S3's protocol."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from uuid import uuid4

import pytest

from ingest_assets.adapters.object_stores.bucket import PART_BYTES, Bucket
from ingest_assets.domain.errors import OutageError
from ingest_assets.pipeline.ports.object_store import ObjectStore
from ingest_assets_tests.contracts.object_store_contract import ObjectStoreContract
from ingest_assets_tests.seaweedfs import BUCKET, SeaweedFS, needs_seaweedfs, seaweedfs

pytestmark = needs_seaweedfs
FULL = b"<Error><Code>XMinioStorageFull</Code><Message>Storage backend has reached its threshold.</Message></Error>"
"""What a MinIO that is full answers, with status 507."""
WRONG_KEY = {"secret_access_key": "wrong"}
IN_A_CHILD = """
import os
from ingest_assets.adapters.object_stores.bucket import Bucket
def use():
    bucket = Bucket("claims", "forked")
    bucket.put("user/document/content", b"bytes")
    return bucket.get("user/document/content")
{before}
child = os.fork()
if child == 0:
    try:
        os._exit(0 if use() == b"bytes" else 1)
    except RuntimeError:
        os._exit(2)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFS]:
    with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as server:
        yield server


class Full(BaseHTTPRequestHandler):
    """A store in which there is no room any more, and nothing either."""

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(507)
        self.send_header("content-length", str(len(FULL)))
        self.end_headers()
        self.wfile.write(FULL)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  as its base class names it
        del format, arguments


class TestBucket(ObjectStoreContract):
    halves = 0

    @pytest.fixture
    def objects(self, server: SeaweedFS) -> ObjectStore:
        return Bucket(BUCKET, f"prefix/{uuid4()}", server.settings, settling_seconds=0.2)

    @pytest.fixture
    def full(self) -> Iterator[ObjectStore]:
        with ThreadingHTTPServer(("127.0.0.1", 0), Full) as answering:
            Thread(target=answering.serve_forever, daemon=True).start()
            yield Bucket(BUCKET, "", SeaweedFS(f"http://127.0.0.1:{answering.server_port}").settings)
            answering.shutdown()

    @pytest.fixture
    def broken(self, server: SeaweedFS) -> ObjectStore:
        return Bucket(BUCKET, "", {**server.settings, **WRONG_KEY})

    @pytest.fixture
    def crash_while_storing(self) -> Callable[[str], None]:
        """Until its last byte is there, an object is not stored at all."""

        def crash(key: str) -> None:
            del key

        return crash


def test_what_is_larger_than_a_part_is_stored_whole(server: SeaweedFS) -> None:
    objects, content = Bucket(BUCKET, "large", server.settings), os.urandom(PART_BYTES * 2 + 1)
    objects.put("user/document/content", content)
    assert objects.get("user/document/content") == content
    assert objects.count_below("user") == 1


@pytest.mark.parametrize("others", [{"endpoint": "http://127.0.0.1:9"}, WRONG_KEY])
def test_what_cannot_be_asked_for_is_no_documents_fault(server: SeaweedFS, others: dict[str, str]) -> None:
    objects = Bucket(BUCKET, "", {**server.settings, **others})
    for act in (lambda: objects.get("user/a/b"), lambda: objects.holds("user/a/b"), objects.check):
        with pytest.raises(OutageError, match="storage_failed"):
            act()


def test_a_bucket_that_is_not_there_is_not_taken_for_an_empty_one(server: SeaweedFS) -> None:
    objects = Bucket("nowhere", "", server.settings)
    for act in (lambda: objects.get("user/a/b"), lambda: objects.holds("user/a/b"), lambda: [*objects.listed()]):
        with pytest.raises(OutageError, match="storage_failed"):
            act()


@pytest.mark.parametrize(("before", "code"), [("", 0), ("use()", 2)])
def test_a_bucket_is_used_in_children_of_a_process_that_has_not_used_one(
    server: SeaweedFS, before: str, code: int
) -> None:
    """The client's threads do not survive a fork; whoever would wait for them forever is told instead."""
    ran = subprocess.run(
        [sys.executable, "-c", IN_A_CHILD.format(before=before)],
        env={**os.environ, **server.environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ran.stdout.strip() == str(code)
