"""Markdown as readers, the chunker and the full-text index want it."""

import re

FENCE = re.compile(r"\s*(```|~~~)")
ESCAPE = re.compile(r"(`[^`\n]*`)|(^[ \t]*\\.)|\\([!-/:-@\[-`{}~])", re.MULTILINE)
IMAGE = re.compile(
    r"\\?!\[(?:[\w \\-]*\.(?:png|jpe?g|gif|emf|wmf|bmp|tiff?|svg)|([^\]\[\n]*))\]\([^()\n]*\)", re.IGNORECASE
)
"""An image, and what is said of it unless that is the name of a file."""
SYMBOL_BULLET = re.compile(r"[\uf06e\uf076\uf0a7\uf0a8\uf0b7\uf0d8\uf0fc][ \t]*")
BLOCK_MARK = re.compile(r"(?=#{1,6}(?:\s|$)|`{3}|~{3}|\||(?:={2,}|-{2,})\s*$)")
"""What would make a heading, a fence or a table of a line of plain text."""


def plain_line(text: str) -> str:
    """Return a line of plain text so that it stays one in Markdown."""
    return BLOCK_MARK.sub(r"\\", text, count=1) if BLOCK_MARK.match(text) else text


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
    line = IMAGE.sub(lambda image: image[1] or "", SYMBOL_BULLET.sub("\n- ", line).replace(" \n- ", "\n- "))
    return ESCAPE.sub(_unescape, line).removeprefix("\n")


def _unescape(match: re.Match[str]) -> str:
    kept: str = match[1] or match[2] or match[3]
    return match[0] if kept == "|" else kept
