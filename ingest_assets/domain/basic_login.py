"""Passwords as browsers send them (HTTP Basic, RFC 7617)."""

from base64 import b64decode
from binascii import Error as NotBase64

CHALLENGE = 'Basic realm="ingest-assets", charset="UTF-8"'
"""Has a browser ask for a password."""


def password_in(header: str | None) -> bytes | None:
    """Return the password in an Authorization header, whichever the user name, or None if there is none."""
    scheme, _, credentials = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return b64decode(credentials, validate=True).partition(b":")[2]
    except (NotBase64, ValueError):
        return None
