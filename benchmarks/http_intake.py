"""How long an application waits for POST /v1/documents."""

import json
import os
import signal
import subprocess
import time
import urllib.request
from statistics import quantiles
from uuid import uuid4

import jwt

SECRET = "a secret of this benchmark, thirty-two bytes or more"  # noqa: S105
BYTES = 100_000
REQUESTS = 200


def post_p95_seconds(ingest: str) -> float:
    environment = os.environ | {"INGEST_JWT_SECRET": SECRET, "INGEST_REQUESTS_PER_MINUTE": "100000"}
    command = [ingest, "serve", "--port", "0", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        announcement = ""
        for line in process.stdout:
            announcement += line
            if line.startswith("}"):
                break
        try:
            return _p95(json.loads(announcement)["url"])
        finally:
            process.send_signal(signal.SIGTERM)


def _p95(url: str) -> float:
    token = jwt.encode({"sub": str(uuid4()), "aud": "authenticated", "exp": time.time() + 3600}, SECRET)
    seconds = [_post(url, token, number) for number in range(REQUESTS)]
    return quantiles(seconds, n=20)[-1]


def _post(url: str, token: str, number: int) -> float:
    body = f"# Document {number}\n\n".encode() + b"All of this is covered. " * (BYTES // 24)
    request = urllib.request.Request(
        f"{url}/v1/documents?filename={number}.md", data=body, headers={"Authorization": f"Bearer {token}"}
    )
    begun = time.perf_counter()
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 202
        answer.read()
    return time.perf_counter() - begun
