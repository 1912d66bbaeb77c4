"""Charts and drawn lists, whose words stand in parts of their own."""

from collections.abc import Mapping

from ingest_assets.adapters.parsers.sealed.office.charts import chart_lines
from ingest_assets.adapters.parsers.sealed.office.paragraphs import drawn_paragraphs
from ingest_assets.adapters.parsers.sealed.office.parts import Element, Parts, Relationship
from ingest_assets.adapters.parsers.sealed.office.word.elements import paragraph, w

RELATED = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
READ = {"chart": (f"{RELATED}id", chart_lines), "relIds": (f"{RELATED}dm", drawn_paragraphs)}
"""What leads to a chart and to a drawn list, by which attribute, and what reads it."""


def write_drawings(root: Element, parts: Parts, related: Mapping[str, Relationship]) -> None:
    """Write what is drawn behind the paragraph that it stands in."""
    for drawing in list(root.iter(w("drawing"))):
        home = next(drawing.iterancestors(w("p")), None)
        if home is None or home.getparent() is None:
            continue
        for leading in drawing.iter(*(f"{{*}}{name}" for name in READ)):
            attribute, lines_of = READ[leading.tag.rpartition("}")[2]]
            target = related.get(leading.get(attribute, ""))
            if target is not None and not target.is_external:
                for line in reversed(list(lines_of(parts.tree(target.target)))):
                    home.addnext(paragraph(line))
