import sys
from typing import Any

from ingest_assets.cli.arguments import Json
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.domain.metrics import Sample


def metrics(as_json: Json = False) -> None:
    """Print what may be measured, as Prometheus reads it, or as JSON. `ingest serve` tells the same at /metrics."""
    from ingest_assets.http.exposition import exposition

    with deployed(as_json=as_json) as deployment:
        samples = deployment.measuring.collect()
        if as_json:
            print_json([_described(sample) for sample in samples])
        else:
            sys.stdout.write(exposition(samples).decode())


def _described(sample: Sample) -> dict[str, Any]:
    """Return a sample as JSON; of a histogram, `le` is the bucket, which counts what no lower one counts."""
    labels = dict(zip(sample.metric.labels, sample.labels, strict=True))
    bound = {} if sample.bound is None else {"le": sample.bound}
    return {"metric": sample.metric.name, "labels": labels | bound, "value": sample.value}
