"""The public keys of the tokens' issuer, as a JSON Web Key Set (RFC 7517)."""

import json
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import jwt

from ingest_assets.domain.errors import PermanentError, TransientError

FRESH_SECONDS = 300.0
LEAST_SECONDS = 10.0
FETCH_SECONDS = 5.0
LARGEST_SET = 1024 * 1024


class SigningKeys:
    """Keys that are fetched on first use, every five minutes, and when a token names an unknown key.

    They are fetched at most every ten seconds, so that tokens with invented key ids do not make the service flood the
    issuer with requests.
    """

    def __init__(self, url: str, *, seconds: Callable[[], float] = time.monotonic) -> None:
        """Fetch the keys from a URL or a path when they are first needed.

        Raises:
            PermanentError: wrong_usage, if `url` is neither an https, http or file URL nor a path.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http", "file", ""):
            raise PermanentError("wrong_usage", what="INGEST_JWT_JWKS_URL must be an https:// or file:// address.")
        self._url = url if parts.scheme else Path(url).absolute().as_uri()
        self._seconds = seconds
        self._lock = threading.Lock()
        self._keys: list[jwt.PyJWK] = []
        self._fetched_at: float | None = None

    def find(self, key_id: str | None, algorithm: str) -> jwt.PyJWK:
        """Return the key with which a token may have been signed.

        Raises:
            PermanentError: token_invalid.
            TransientError: signing_keys_unreachable.
        """
        with self._lock:
            self._refresh(FRESH_SECONDS)
            found = self._match(key_id, algorithm)
            if found is None:
                self._refresh(LEAST_SECONDS)
                found = self._match(key_id, algorithm)
        if found is None:
            raise PermanentError("token_invalid")
        return found

    def _match(self, key_id: str | None, algorithm: str) -> jwt.PyJWK | None:
        usable = [key for key in self._keys if key.algorithm_name == algorithm]
        if key_id is None:
            return usable[0] if len(usable) == 1 else None
        return next((key for key in usable if key.key_id == key_id), None)

    def _refresh(self, oldest: float) -> None:
        """Fetch the keys if they are too old. An issuer that does not answer leaves them as they were.

        Raises:
            TransientError: signing_keys_unreachable, if there are no keys at all.
        """
        now = self._seconds()
        if self._fetched_at is not None and now - self._fetched_at < oldest:
            return
        try:
            self._keys = _fetch(self._url)
        except (OSError, ValueError, TypeError, AttributeError, jwt.PyJWTError):
            if not self._keys:
                raise TransientError("signing_keys_unreachable") from None
        self._fetched_at = now


def _fetch(url: str) -> list[jwt.PyJWK]:
    """Return the public keys. Symmetric keys are left out because a key that verifies could also sign."""
    with urllib.request.urlopen(url, timeout=FETCH_SECONDS) as answer:  # noqa: S310  the scheme was checked
        listed = json.loads(answer.read(LARGEST_SET))["keys"]
    public = [jwk for jwk in listed if jwk.get("kty") in ("RSA", "EC", "OKP") and jwk.get("use", "sig") == "sig"]
    return [jwt.PyJWK(jwk) for jwk in public]
