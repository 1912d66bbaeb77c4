"""Characters that Excel writes as `_x000D_`, because XML cannot hold them; `_x005F_` stands for an underscore."""

import re

ESCAPE = re.compile(r"_x([0-9a-f]{4})_", re.IGNORECASE)


def unescaped(text: str) -> str:
    """Return a text with its own characters, without control characters that nobody sees."""
    if "_x" not in text and "_X" not in text:
        return text
    found = ESCAPE.sub(_character, text)
    return found.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _character(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if character.isprintable() or character.isspace() or not character.isascii() else ""
