"""Word documents put together from pieces of WordprocessingML."""

from collections.abc import Mapping
from zipfile import ZIP_STORED

from ingest_assets_tests.sample_files import OFFICE_DOCUMENT, RELATIONSHIPS, WORD, WORD_NAMESPACE, office

RELATED = OFFICE_DOCUMENT.rpartition("/")[0]
NAMESPACES = f'xmlns:w="{WORD_NAMESPACE}" xmlns:r="{RELATED}"'
NAMESPACES += ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'


def run(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(*runs: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{''.join(runs)}</w:p>"


def item(text: str, depth: int = 0, name: str = "1") -> str:
    return paragraph(run(text), properties=f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{name}"/></w:numPr>')


def level(depth: int, kind: str, text: str, more: str = "") -> str:
    shown = f'<w:numFmt w:val="{kind}"/>{more}<w:lvlText w:val="{text}"/>'
    return f'<w:lvl w:ilvl="{depth}"><w:start w:val="1"/>{shown}</w:lvl>'


def numbering(*levels: str, more: str = "") -> str:
    """One list of these levels, named 1."""
    abstract = f'<w:abstractNum w:abstractNumId="0">{"".join(levels)}</w:abstractNum>'
    return f'{abstract}<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>{more}'


def word(body: str, parts: Mapping[str, str] | None = None, extra: Mapping[str, str] | None = None) -> bytes:
    """A document with this body and these parts by their kind, such as `styles`; `extra` is stored as it is."""
    parts = parts or {}
    root = f'<Relationship Id="r1" Type="{OFFICE_DOCUMENT}" Target="word/document.xml"/>'
    targets = "".join(
        f'<Relationship Id="{name}" Type="{RELATED}/{name.rstrip("0123456789")}" Target="{name}.xml"/>'
        for name in parts
    )
    roots = {"header": "hdr", "footer": "ftr"}
    stored = {
        f"word/{name}.xml": f"<w:{roots.get(name.rstrip('0123456789'), name)} {NAMESPACES}>{inner}"
        f"</w:{roots.get(name.rstrip('0123456789'), name)}>"
        for name, inner in parts.items()
    }
    return office(
        WORD,
        {
            "_rels/.rels": f'<Relationships xmlns="{RELATIONSHIPS}">{root}</Relationships>',
            "word/_rels/document.xml.rels": f'<Relationships xmlns="{RELATIONSHIPS}">{targets}</Relationships>',
            "word/document.xml": f"<w:document {NAMESPACES}><w:body>{body}</w:body></w:document>",
            **stored,
            **(extra or {}),
        },
        ZIP_STORED,  # what repeats itself would be taken for a bomb
    )
