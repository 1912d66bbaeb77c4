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
from ingest_assets_tests.moto import Moto, moto, needs_moto
from ingest_assets_tests.seaweedfs import BUCKET, SeaweedFS, needs_seaweedfs, seaweedfs

FULL = b"<Error><Code>XMinioStorageFull</Code><Message>Storage backend has reached its threshold.</Message></Error>"
"""What a MinIO that is full answers, with status 507."""
LISTING = b"""<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult><Name>claims</Name><KeyCount>1</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>
<Contents><Key>user/document/content</Key><LastModified>2026-11-29T12:00:00.123Z</LastModified><ETag>"x"</ETag>
<Size>5</Size><StorageClass>STANDARD</StorageClass></Contents></ListBucketResult>"""
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


@pytest.fixture(scope="module")
def other_server() -> Iterator[Moto]:
    with moto() as server:
        server.client("s3").create_bucket(Bucket=BUCKET)
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


class Precise(BaseHTTPRequestHandler):
    """A store whose listings have milliseconds, as MinIO's have, while a head has seconds."""

    def do_GET(self) -> None:
        self._answer(200, LISTING)

    def do_HEAD(self) -> None:
        self._answer(200, b"12345")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._answer(200, b"<DeleteResult><Deleted><Key>user/document/content</Key></Deleted></DeleteResult>")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.send_header("last-modified", "Sun, 29 Nov 2026 12:00:00 GMT")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  as its base class names it
        del format, arguments


class BucketContract(ObjectStoreContract):
    """As every server that speaks S3's protocol must do."""

    halves = 0
    has_addresses = True

    @pytest.fixture
    def crash_while_storing(self) -> Callable[[str], None]:
        """Until its last byte is there, an object is not stored at all."""

        def crash(key: str) -> None:
            del key

        return crash

    @pytest.fixture
    def full(self) -> Iterator[ObjectStore]:
        with ThreadingHTTPServer(("127.0.0.1", 0), Full) as answering:
            Thread(target=answering.serve_forever, daemon=True).start()
            yield Bucket(BUCKET, "", SeaweedFS(f"http://127.0.0.1:{answering.server_port}").settings)
            answering.shutdown()


@needs_seaweedfs
class TestBucket(BucketContract):
    @pytest.fixture
    def objects(self, server: SeaweedFS) -> ObjectStore:
        return Bucket(BUCKET, f"prefix/{uuid4()}", server.settings, settling_seconds=0.2)

    @pytest.fixture
    def broken(self, server: SeaweedFS) -> ObjectStore:
        return Bucket(BUCKET, "", {**server.settings, **WRONG_KEY})


@needs_moto
class TestBucketOfMoto(BucketContract):
    """On the second server; it believes every key, so that the broken store is a bucket that is not there."""

    @pytest.fixture
    def objects(self, other_server: Moto) -> ObjectStore:
        return Bucket(BUCKET, f"prefix/{uuid4()}", settings_of(other_server), settling_seconds=0.2)

    @pytest.fixture
    def broken(self, other_server: Moto) -> ObjectStore:
        return Bucket("nowhere", "", settings_of(other_server))


def settings_of(server: Moto) -> dict[str, str]:
    return SeaweedFS(server.endpoint).settings


@needs_seaweedfs
def test_what_is_larger_than_a_part_is_stored_whole(server: SeaweedFS) -> None:
    objects, content = Bucket(BUCKET, "large", server.settings), os.urandom(PART_BYTES * 2 + 1)
    objects.put("user/document/content", content)
    assert objects.get("user/document/content") == content
    assert objects.count_below("user") == 1


def test_an_object_is_removed_although_the_listing_knows_its_time_better_than_its_head() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Precise) as answering:
        Thread(target=answering.serve_forever, daemon=True).start()
        objects = Bucket(BUCKET, "", SeaweedFS(f"http://127.0.0.1:{answering.server_port}").settings)
        [found] = objects.listed("user")
        assert objects.remove(found)
        answering.shutdown()


@needs_seaweedfs
@pytest.mark.parametrize("others", [{"endpoint": "http://127.0.0.1:9"}, WRONG_KEY])
def test_what_cannot_be_asked_for_is_no_documents_fault(server: SeaweedFS, others: dict[str, str]) -> None:
    objects = Bucket(BUCKET, "", {**server.settings, **others})
    for act in (lambda: objects.get("user/a/b"), lambda: objects.holds("user/a/b"), objects.check):
        with pytest.raises(OutageError, match="storage_failed"):
            act()


@needs_seaweedfs
def test_a_bucket_that_is_not_there_is_not_taken_for_an_empty_one(server: SeaweedFS) -> None:
    objects = Bucket("nowhere", "", server.settings)
    for act in (lambda: objects.get("user/a/b"), lambda: objects.holds("user/a/b"), lambda: [*objects.listed()]):
        with pytest.raises(OutageError, match="storage_failed"):
            act()


@needs_seaweedfs
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
