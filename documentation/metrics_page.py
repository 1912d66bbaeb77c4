"""docs/reference/metrics.md: what the collector tells Prometheus."""

from documentation.pages import code, page, table
from ingest_assets.domain.metrics import METRICS

INTRODUCTION = """`ingest metrics` prints all of them, and `ingest serve` tells them at `/metrics`. [How they are
measured](../metrics.md), and which alerts ask for them, is another page. Histograms have the label `le` beside those
named here: their bounds, in seconds. Prometheus' client adds `process_…` and `python_info`."""


def metrics_page() -> str:
    """Return the page."""
    rows = [(code(each.name), each.kind.value, ", ".join(each.labels), each.help) for each in METRICS]
    return page("Metrics", INTRODUCTION, [table(("metric", "kind", "labels", "meaning"), rows)])
