"""Bring what is stored in line with the present master key: after it was first set, and after it was replaced."""

from contextlib import suppress
from dataclasses import dataclass, replace

from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.pipeline.ports.encrypting import KeyManagement, PlainObjects, UserKeys
from ingest_assets.pipeline.ports.object_store import ObjectStore
from ingest_assets.pipeline.ports.reading import Documents
from ingest_assets.pipeline.stored_objects import owner_in, remove_if_deleted

PAGE = 1000


@dataclass(frozen=True)
class Encryption:
    objects: ObjectStore
    plain: PlainObjects
    user_keys: UserKeys
    management: KeyManagement
    documents: Documents

    def wrap_keys(self) -> int:
        """Wrap every user's key with the present master key, and return how many there are.

        Raises:
            OutageError: master_key_missing or master_key_wrong.
        """
        count = 0
        after: UserId | None = None
        while page := self.user_keys.page(after, PAGE):
            for key in page:
                unwrapped = self.management.unwrap(key.wrapped, key.purpose)
                self.user_keys.replace(replace(key, wrapped=self.management.wrap(unwrapped, key.purpose)))
            count, after = count + len(page), page[-1].user_id
        return count

    def encrypt_plain(self) -> int:
        """Encrypt what is stored in plain, while workers go on, and return how many objects were.

        Raises:
            OutageError: As the object store.
        """
        return sum(found.whole and self._encrypt(found.key) for found in self.objects.listed())

    def _encrypt(self, key: str) -> bool:
        owner = owner_in(key)
        document = None if owner is None else self.documents.find(owner[1])
        if document is None:
            return False
        with suppress(PermanentError):  # it has been removed meanwhile
            encrypted = self.plain.encrypt(key)
            if encrypted:
                remove_if_deleted(document, self.documents, self.objects)
            return encrypted
        return False
