"""How a session with a server is protected on its way."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Encryption:
    """How one session with the server really is."""

    is_local: bool
    """Whether nothing leaves the machine."""
    protocol: str | None
    """The protocol, or None if anybody on the way can read along."""
    checks_server: bool
    """Whether the server had to show a certificate that is trusted."""
