"""What the outside services could do: a bare client of them, every document under way at once, nothing kept."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from benchmarks.emulated_services import Services

POLL_SECONDS = 1.0
TEXT_CHARACTERS = 1_000


async def _whole_way(client: httpx.AsyncClient, services: Services, path: Path) -> None:
    """Upload one document, wait for its text, have it embedded."""
    parsing = f"{services.llamaparse_url}/api/parsing"
    keys = services.environment
    asking = {"Authorization": f"Bearer {keys['LLAMA_CLOUD_API_KEY']}"}
    files = {"file": (path.name, path.read_bytes())}
    job = (await client.post(f"{parsing}/upload", files=files, headers=asking)).json()["id"]
    while (await client.get(f"{parsing}/job/{job}", headers=asking)).json()["status"] == "PENDING":
        await asyncio.sleep(POLL_SECONDS)
    result = (await client.get(f"{parsing}/job/{job}/result/json", headers=asking)).json()
    text = "".join(page["md"] for page in result["pages"])[:TEXT_CHARACTERS]
    order = {"model": "text-embedding-3-small", "input": [text], "encoding_format": "base64"}
    embedding = {"Authorization": f"Bearer {keys['OPENAI_API_KEY']}"}
    answer = await client.post(f"{services.openai_url}/embeddings", json=order, headers=embedding)
    assert answer.status_code == httpx.codes.OK, answer.text


async def _all(services: Services, paths: Sequence[Path]) -> None:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(limits=limits, timeout=60, trust_env=False) as client:
        await asyncio.gather(*(_whole_way(client, services, path) for path in paths))


def bare_client_seconds(services: Services, paths: Sequence[Path]) -> float:
    """How long the services need for these documents, all at once."""
    begun = time.perf_counter()
    asyncio.run(_all(services, paths))
    return time.perf_counter() - begun
