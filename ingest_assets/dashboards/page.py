"""Draw dashboards as one page."""

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from hashlib import sha256

from jinja2 import Environment, PackageLoader, StrictUndefined

from ingest_assets.dashboards.charts import bar_width, bars, height_of
from ingest_assets.domain.dashboards.panels import Dashboard, Ranking, Series, Tiles

KINDS = {Tiles: "tiles", Series: "series", Ranking: "ranking"}


def page_of(at: datetime, dashboards: Sequence[Dashboard]) -> str:
    """Return the page, which says when it was made."""
    return (
        _environment()
        .get_template("page.html")
        .render(at=at, dashboards=dashboards, style=_style(), policy=content_policy())
    )


@cache
def content_policy() -> str:
    """Return what a browser may do with the page: apply its own style, and nothing else."""
    digest = b64encode(sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("ingest_assets.dashboards"),
        autoescape=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"bars": bars, "bar_width": bar_width, "height_of": height_of}
    environment.tests["of_kind"] = lambda panel, kind: KINDS[type(panel)] == kind
    return environment


@cache
def _style() -> str:
    """Return the style exactly as it stands in the page, because the policy holds its hash."""
    return _environment().get_template("style.css").render()
