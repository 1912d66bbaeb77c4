"""Objects in a bucket that speaks S3's protocol: AWS, MinIO, SeaweedFS, Supabase and others."""

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import UUID

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError, NotSupportedError
from obstore.store import S3Store

from ingest_assets.adapters.object_stores.presigned import Signer
from ingest_assets.domain.documents.download import Download
from ingest_assets.domain.documents.stored_object import StoredObject
from ingest_assets.domain.errors import OutageError, PermanentError

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

MARK = ".ingest-assets"
"""The folder of what is no document's; no listing shows it."""
ID = f"{MARK}/id"
PART_BYTES = 16 * 1024 * 1024
"""What is larger is sent in parts of this size."""
SETTLING_SECONDS = 2.0
"""How long a store without conditional writes is given to show which of several ids came last."""
NO_SPACE = re.compile(r"status code: 507|StorageFull|QuotaExceeded|InsufficientStorage")
"""How stores that can be full say so; AWS never is."""
CLIENT: "ClientConfig" = {"connect_timeout": "5s", "timeout": "60s"}
DEFAULT_REGION = "us-east-1"
YES = ("1", "true", "yes", "on", "y", "t")
RETRIES: "RetryConfig" = {"max_retries": 3, "retry_timeout": timedelta(seconds=30)}

_opened_by: int | None = None
"""The process that has used a bucket. Its threads do not survive a fork: a child of it would wait for them forever."""


class Bucket:
    """Objects below `prefix`; each is put whole or not at all.

    Credentials, region and endpoint come from the variables of AWS (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL` …).

    Args:
        name: The bucket.
        prefix: The folder in it, or nothing for the whole bucket.
        settings: Settings of the store besides those of the environment, as `obstore` names them.
        settling_seconds: See `SETTLING_SECONDS`.
    """

    def __init__(
        self,
        name: str,
        prefix: str = "",
        settings: Mapping[str, Any] | None = None,
        *,
        settling_seconds: float = SETTLING_SECONDS,
    ) -> None:
        self._name = name
        self._prefix = prefix
        self._settings = settings or {}
        self._settling_seconds = settling_seconds
        self._opened: S3Store | None = None

    def check(self) -> None:
        with _translated():
            self._require_bucket()

    def claim(self, store_id: UUID) -> UUID:
        with _translated():
            if (known := self._content_of(ID)) is not None:
                return _id_from(known)
            store, content = self._store(), str(store_id).encode()
            try:
                obstore.put(store, ID, content, mode="create")
            except AlreadyExistsError:
                pass
            except NotSupportedError:
                obstore.put(store, ID, content)
            time.sleep(self._settling_seconds)  # some stores ignore the condition without a word
            return _id_from(self._content_of(ID) or b"")

    def put(self, key: str, content: bytes) -> None:
        with _translated():
            obstore.put(self._store(), key, content, use_multipart=len(content) > PART_BYTES, chunk_size=PART_BYTES)

    def get(self, key: str) -> bytes:
        with _translated():
            content = self._content_of(key)
            if content is None:
                self._require_bucket()
                raise PermanentError("content_missing")
            return content

    def beginning(self, key: str, size: int) -> bytes:
        with _translated():
            try:
                return bytes(obstore.get(self._store(), key, options={"range": (0, size)}).bytes())
            except (FileNotFoundError, NotFoundError):
                self._require_bucket()
                raise PermanentError("content_missing") from None
            except BaseError:  # an empty object has no first byte, which is an error for most servers
                return self.get(key)[:size]

    def address(self, key: str, answer: Download) -> str | None:
        """Return an address that is signed with the keys of the environment; a host's role signs none."""
        signer = self._signer()
        if signer is None:
            return None
        named = {"response-content-disposition": answer.disposition, "response-content-type": answer.media_type}
        return signer.signed(self._url_of(key), named, answer.seconds, datetime.now(UTC))

    def holds(self, key: str) -> bool:
        with _translated():
            found = self._state_of(key) is not None
            if not found:
                self._require_bucket()
            return found

    def listed(self, below: str = "") -> Iterator[StoredObject]:
        # Some servers list folder by folder instead of key by key. Only one user's objects are held and sorted at once.
        with _translated():
            if below:
                yield from sorted(self._below(below), key=_key_of)
                return
            top = obstore.list_with_delimiter(self._store())
            folders = [f"{str(each).rstrip('/')}/" for each in top["common_prefixes"]]
            alone = {each["path"]: _described(each) for each in top["objects"]}
            for name in sorted([*folders, *alone]):
                if name in alone:
                    yield alone[name]
                elif name != f"{MARK}/":
                    yield from sorted(self._below(name[:-1]), key=_key_of)

    def remove(self, found: StoredObject) -> bool:
        with _translated():
            if self._state_of(found.key) != found:
                return False
            obstore.delete(self._store(), found.key)
            return True

    def delete_below(self, prefix: str) -> int:
        with _translated():
            keys = [each.key for each in self._below(prefix)]
            if keys:
                obstore.delete(self._store(), keys)
            return len(keys)

    def count_below(self, prefix: str) -> int:
        with _translated():
            return sum(1 for _ in self._below(prefix))

    def _below(self, folder: str) -> Iterator[StoredObject]:
        for some in obstore.list(self._store(), folder):
            yield from map(_described, some)

    def _content_of(self, key: str) -> bytes | None:
        try:
            return bytes(obstore.get(self._store(), key).bytes())
        except (FileNotFoundError, NotFoundError):
            return None

    def _state_of(self, key: str) -> StoredObject | None:
        try:
            return _described(obstore.head(self._store(), key))
        except (FileNotFoundError, NotFoundError):
            return None

    def _require_bucket(self) -> None:
        """Ask for the bucket itself: without it, every object is missing, which is no document's fault."""
        if self._state_of(ID) is None:
            next(iter(obstore.list(self._store())), None)

    def _store(self) -> S3Store:
        global _opened_by  # noqa: PLW0603  threads belong to a process
        if _opened_by not in (None, os.getpid()):
            raise RuntimeError("a process that has used a bucket must not fork others that use one")
        _opened_by = os.getpid()
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def _signer(self) -> Signer | None:
        """Return who signs addresses, if the keys are known and buckets are in the path of addresses."""
        access, secret = self._setting("access_key_id"), self._setting("secret_access_key")
        if not access or not secret or self._setting("virtual_hosted_style_request").lower() in YES:
            return None
        region = self._setting("region") or self._setting("default_region") or DEFAULT_REGION
        return Signer(access, secret, region, self._setting("session_token") or None)

    def _url_of(self, key: str) -> str:
        region = self._setting("region") or self._setting("default_region") or DEFAULT_REGION
        endpoint = (self._endpoint() or f"https://s3.{region}.amazonaws.com").rstrip("/")
        return f"{endpoint}/{quote('/'.join(filter(None, (self._name, self._prefix, key))))}"

    def _endpoint(self) -> str:
        given = self._settings.get("endpoint_url") or self._settings.get("endpoint")
        return str(given or os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT", ""))

    def _setting(self, name: str) -> str:
        return str(self._settings.get(name) or os.environ.get(f"AWS_{name.upper()}", ""))

    def _open(self) -> S3Store:
        client: ClientConfig = {**CLIENT, "allow_http": self._endpoint().startswith("http:")}
        prefix = {"prefix": self._prefix} if self._prefix else {}
        settings: dict[str, Any] = {**prefix, **self._settings}
        return S3Store(self._name, client_options=client, retry_config=RETRIES, **settings)


def _key_of(found: StoredObject) -> str:
    return found.key


def _described(found: Mapping[str, Any]) -> StoredObject:
    # A listing may know the time better than the head of a single object, which has whole seconds.
    return StoredObject(found["path"], found["size"], found["last_modified"].replace(microsecond=0), whole=True)


def _id_from(content: bytes) -> UUID:
    try:
        return UUID(content.decode())
    except ValueError:  # somebody has been here
        raise OutageError("storage_failed") from None


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the client's errors into errors of the catalogue, without their messages, which name the bucket and keys."""
    try:
        yield
    except (BaseError, OSError) as error:
        raise OutageError("storage_full" if NO_SPACE.search(str(error)) else "storage_failed") from None
