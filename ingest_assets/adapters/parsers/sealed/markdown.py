"""Markdown as readers, the chunker and the full-text index want it."""

import re

FENCE = re.compile(r"\s*(```|~~~)")
ESCAPE = re.compile(r"(`[^`\n]*`)|(^[ \t]*\\.)|\\([!-/:-@\[-`{}~])", re.MULTILINE)
IMAGE = re.compile(r"!\[([^\]\[\n]*)\]\([^()\n]*\)")
SYMBOL_BULLET = re.compile(r"[\uf06e\uf076\uf0a7\uf0a8\uf0b7\uf0d8\uf0fc][ \t]*")


def clean(markdown: str) -> str:
    """Return xberg's Markdown without image addresses and without escapes that change no line's meaning.

    Bullets from symbol fonts, which run on within a paragraph, become list items.
    """
    lines = []
    fenced = False
    for line in markdown.split("\n"):
        fence = FENCE.match(line) is not None
        lines.append(line if fenced or fence else _clean_line(line))
        fenced ^= fence
    return "\n".join(lines).strip("\n")


def _clean_line(line: str) -> str:
    line = IMAGE.sub(r"\1", SYMBOL_BULLET.sub("\n- ", line).replace(" \n- ", "\n- "))
    return ESCAPE.sub(_unescape, line).removeprefix("\n")


def _unescape(match: re.Match[str]) -> str:
    kept: str = match[1] or match[2] or match[3]
    return match[0] if kept == "|" else kept
