"""Files written into a text as base64, mostly pictures."""

import re

EMBEDDED_DATA = re.compile(r"data:[\w/+.;=-]{0,100};base64,[A-Za-z0-9+/=]+")


def without_embedded_data(markdown: str) -> str:
    """Return the text with nothing but `data:` where a file was embedded: there is nothing in it to search."""
    if ";base64," not in markdown:
        return markdown  # nothing is copied
    return EMBEDDED_DATA.sub("data:", markdown)
