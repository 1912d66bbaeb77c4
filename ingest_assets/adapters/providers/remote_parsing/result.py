"""What a parsing provider has made of a document."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ingest_assets.domain.spending.costs import Usage

MOST_PAGES = 100_000
_WEB_PAGE = re.compile(r"\s*<(?:!doctype html|html)[\s>]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ParseResult:
    remote_id: str
    pages: tuple[str, ...]
    """The pages by number; a page that the provider left out is empty."""
    usage: Usage
    is_billed: bool = True
    """Whether the provider has said what it bills; until then, the usage is what the price list says."""

    @property
    def holds_web_page(self) -> bool:
        """Whether the provider read an error page, a sign-in form or the like instead of the document."""
        return any(map(_WEB_PAGE.match, self.pages))


def page_number(value: object, position: int) -> int:
    """Return a page's number or, if it has no sensible one, its position."""
    return value if isinstance(value, int) and 0 < value <= MOST_PAGES else position


def in_order(texts: Mapping[int, str]) -> tuple[str, ...]:
    """Return the texts of pages by their numbers, with empty ones where a page is missing."""
    return tuple(texts.get(number, "") for number in range(1, max(texts, default=0) + 1))
