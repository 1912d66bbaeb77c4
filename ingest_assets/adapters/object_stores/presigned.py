"""Addresses that let whoever has them read one object for a while, signed as S3's protocol says (Signature Version 4).

The client of the buckets signs such addresses, too, but none that say how the answer is to be named.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from urllib.parse import quote, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs, for which region."""

    access_key: str
    secret_key: str = field(repr=False)
    region: str
    session_token: str | None = field(default=None, repr=False)

    def signed(self, url: str, answer: Mapping[str, str], seconds: int, now: datetime) -> str:
        """Return the address at which a GET is answered from `now` on for some seconds.

        Args:
            url: The object's address, whose path is encoded already.
            answer: Headers that the answer is to have, by S3's names for them, such as `response-content-type`.
            seconds: How long the address is good for.
            now: The time, in UTC.
        """
        moment = now.strftime("%Y%m%dT%H%M%SZ")
        scope = f"{moment[:8]}/{self.region}/s3/aws4_request"
        told = {
            **answer,
            "X-Amz-Algorithm": ALGORITHM,
            "X-Amz-Credential": f"{self.access_key}/{scope}",
            "X-Amz-Date": moment,
            "X-Amz-Expires": str(seconds),
            "X-Amz-SignedHeaders": "host",
            **({} if self.session_token is None else {"X-Amz-Security-Token": self.session_token}),
        }
        asked = "&".join(sorted(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in told.items()))
        parts = urlsplit(url)
        request = f"GET\n{parts.path}\n{asked}\nhost:{parts.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
        signed = f"{ALGORITHM}\n{moment}\n{scope}\n{sha256(request.encode()).hexdigest()}"
        key = f"AWS4{self.secret_key}".encode()
        for part in scope.split("/"):
            key = _mac(key, part)
        return f"{url}?{asked}&X-Amz-Signature={_mac(key, signed).hex()}"


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
