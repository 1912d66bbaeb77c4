"""How long an application waits for POST /v1/documents of 100 KB, beside the intake alone in this process."""

import time
import urllib.request
from collections.abc import Iterator
from statistics import quantiles
from uuid import UUID, uuid4

import jwt

from benchmarks.deployments import Home, fresh_home
from benchmarks.figures import Figures
from benchmarks.intake import intake_of
from benchmarks.sizes import Sizes
from ingest_assets.domain.documents.document import UserId

SECRET = "a secret of this benchmark, thirty-two bytes or more"  # noqa: S105
BYTES = 100_000


def measure(sizes: Sizes) -> Iterator[Figures]:
    settings = {"INGEST_JWT_SECRET": SECRET, "INGEST_REQUESTS_PER_MINUTE": "100000"}
    with fresh_home() as home, home.serving("serve", "--port", "0", **settings) as (_, announced):
        for _ in range(sizes.repetitions):
            yield {
                "http_post_p95_s": _p95([_post(announced["url"], number) for number in range(sizes.requests)]),
                "http_post_floor_p95_s": _p95([_receive(home, number) for number in range(sizes.requests)]),
            }


def _post(url: str, number: int) -> float:
    token = jwt.encode({"sub": str(uuid4()), "aud": "authenticated", "exp": time.time() + 3600}, SECRET)
    address, headers = f"{url}/v1/documents?filename={number}.md", {"Authorization": f"Bearer {token}"}
    begun = time.perf_counter()
    request = urllib.request.Request(address, _content(number), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 202
        answer.read()
    return time.perf_counter() - begun


def _receive(home: Home, number: int) -> float:
    owner = UserId(UUID(int=number + 1))
    begun = time.perf_counter()
    intake_of(home).content(_content(number), f"{number}.md", f"/{number}.md", owner)
    return time.perf_counter() - begun


def _content(number: int) -> bytes:
    return f"# Document {number}\n\n".encode() + b"All of this is covered. " * (BYTES // 24)


def _p95(seconds: list[float]) -> float:
    return quantiles(seconds, n=20)[-1]
