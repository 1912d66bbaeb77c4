"""Electronic books."""

from ingest_assets.adapters.parsers.sealed.office.parts import Parts, UnreadableError
from ingest_assets.domain.text.normalisation import composed

PAGES = (".xhtml", ".html", ".htm")


def composed_pages(content: bytes) -> bytes:
    """Return the book with its letters and their marks in one: of others, xberg loses headings and tables."""
    try:
        parts = Parts(content)
        pages = {name: parts.read(name) for name in parts.names if name.endswith(PAGES)}
        texts = {name: page.decode() for name, page in pages.items() if page is not None}
        made = {name: composed(text) for name, text in texts.items()}
        return content if made == texts else parts.rewritten({name: text.encode() for name, text in made.items()})
    except (UnreadableError, UnicodeDecodeError):
        return content
