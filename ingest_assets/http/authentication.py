"""Find out who is asking: the `sub` of a bearer token as Supabase issues it (RFC 7519)."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import jwt

from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.http.signing_keys import SigningKeys

HMAC_ALGORITHM = "HS256"
KEY_ALGORITHMS = frozenset({"RS256", "ES256", "EdDSA"})
LONGEST_TOKEN = 8192


@dataclass(frozen=True, slots=True)
class Admission:
    """Whom a token lets in, and until when."""

    user: UserId
    expires_at: int
    """In seconds of Unix time."""


class Authentication:
    """Checks tokens. The algorithm decides which key may verify one, so a public key never serves as a secret."""

    def __init__(self, *, secret: str | None, keys: SigningKeys | None, audience: str, issuer: str | None) -> None:
        """Accept tokens that the secret or one of the keys has signed.

        Raises:
            PermanentError: authentication_missing, if there is neither a secret nor keys.
        """
        if secret is None and keys is None:
            raise PermanentError("authentication_missing")
        self._secret = secret
        self._keys = keys
        self._audience = audience
        self._issuer = issuer

    def admit(self, token: str) -> Admission:
        """Return the user to whom the token was issued, and when it expires.

        Raises:
            PermanentError: token_invalid, token_expired.
            TransientError: signing_keys_unreachable.
        """
        try:
            claims = self._claims(token)
            return Admission(UserId(UUID(claims["sub"])), int(claims["exp"]))
        except jwt.ExpiredSignatureError:
            raise PermanentError("token_expired") from None
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise PermanentError("token_invalid") from None

    def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > LONGEST_TOKEN:
            raise PermanentError("token_invalid")
        algorithm, key = self._key(jwt.get_unverified_header(token))
        return jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=self._audience,
            issuer=self._issuer,
            options={"require": ["exp", "aud", "sub"], "verify_iat": False},
        )

    def _key(self, header: dict[str, Any]) -> tuple[str, str | jwt.PyJWK]:
        algorithm = header.get("alg")
        if algorithm == HMAC_ALGORITHM and self._secret is not None:
            return HMAC_ALGORITHM, self._secret
        if algorithm in KEY_ALGORITHMS and self._keys is not None:
            return algorithm, self._keys.find(header.get("kid"), algorithm)
        raise PermanentError("token_invalid")
