"""Put a table into a page's Markdown, in the place of the same words run together."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

_WORD = re.compile(r"\w+")
_RULE = re.compile(r"[|:\s-]*-[|:\s-]*")
_GAP = re.compile(r"\n{3,}")
_ROW = re.compile(r"^\s*\|", re.MULTILINE)


def with_table(markdown: str, words: Sequence[str], table: str) -> str:
    """Return the Markdown with the table for its words.

    If they stand in another order, the table takes the place of the lines that say nothing else; if most of them do not
    stand in such lines, it follows the page. A page that has the words in a table already is returned as it is.
    """
    found = list(_WORD.finditer(markdown))
    text, wanted = _joined(each[0] for each in found), _joined(_WORD.findall(" ".join(words)))
    at = text.find(wanted)
    if not wanted.strip() or at < 0:
        return markdown if _has_rows_of(markdown, words) else _for_lines(markdown, wanted.split(), table)
    first = text.count(" ", 0, at + 1) - 1
    last = first + wanted.count(" ") - 2
    start, end = found[first].start(), found[last].end()
    if _ROW.search(markdown, markdown.rfind("\n", 0, start) + 1, end):
        return markdown
    before, after = markdown[:start].rstrip(" *_#\\"), markdown[end:]
    rest = after.partition("\n")[0]
    after = after if _WORD.search(rest) else after[len(rest) :]
    return "\n\n".join(part for part in (before.strip(), table, after.strip()) if part)


def _for_lines(markdown: str, wanted: Sequence[str], table: str) -> str:
    """Return the Markdown with the table for the lines of its words, each as often as the table has it."""
    left = Counter(wanted)
    kept: list[str] = []
    place = None
    follows_gone = False
    for line in markdown.split("\n"):
        said = Counter(word.lower() for word in _WORD.findall(line))
        follows_gone = all(left[word] >= count for word, count in said.items()) if said else follows_gone
        if said and follows_gone:
            left.subtract(said)
            place = len(kept) if place is None else place
        elif not (follows_gone and _RULE.fullmatch(line)):
            kept.append(line)
    if place is None or 2 * left.total() >= len(wanted):
        return "\n\n".join(filter(None, (markdown.rstrip(), table)))
    parts = ("\n".join(kept[:place]), table, "\n".join(kept[place:]))
    return "\n\n".join(filter(None, (_GAP.sub("\n\n", part).strip() for part in parts)))


def _joined(words: Iterable[str]) -> str:
    return " " + " ".join(words).lower() + " "


def _has_rows_of(markdown: str, words: Sequence[str]) -> bool:
    """Return whether most of the words stand in rows of a table."""
    rows = {word.lower() for line in markdown.split("\n") if "|" in line for word in _WORD.findall(line)}
    wanted = [word.lower() for word in _WORD.findall(" ".join(words))]
    return 2 * sum(word in rows for word in wanted) > len(wanted)
