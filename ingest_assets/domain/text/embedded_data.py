"""Files embedded in a text as base64, mostly pictures."""

import re

EMBEDDED_DATA = re.compile(r"data:[\w/+.;=-]{0,100};base64,[A-Za-z0-9+/=]+")


def without_embedded_data(markdown: str) -> str:
    """Return the text with only `data:` left of each embedded file, which holds nothing to search."""
    if ";base64," not in markdown:
        return markdown  # saves a copy
    return EMBEDDED_DATA.sub("data:", markdown)
