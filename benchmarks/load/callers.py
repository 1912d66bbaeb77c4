"""The users: they submit documents and search over HTTP when each is due, however slow the answers are.

.venv/bin/python -m benchmarks.load.callers URL FOLDER PLAN: reads the secret of the tokens from its standard input, and
writes FOLDER/begun (the time by the wall clock) and FOLDER/outcomes.jsonl, one line per request, in the order of the
answers.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import jwt

from benchmarks.load.connections import Answer, Connections
from benchmarks.load.letters import broken_letter, letter, letter_kind
from benchmarks.load.plan import LoadPlan, Posting, Question, postings, questions, user_id

DOCUMENT, SEARCH = "document", "search"
TOKEN_SECONDS = 24 * 3600
ANSWER_SECONDS = 60.0
LEAD_SECONDS = 1.0
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request."""

    kind: str
    due: float
    """In seconds from the beginning."""
    late: float
    """How long after it was due it was sent: the callers' own fault."""
    seconds: float
    """From when it was due until its answer was read."""
    status: int
    """0 if no answer came."""
    user: int
    number: int | None = None
    """Of the document."""
    document_id: str | None = None
    query: str | None = None
    hits: int | None = None


class Callers:
    def __init__(self, connections: Connections, folder: Path, tokens: list[str], output: IO[str]) -> None:
        self._connections = connections
        self._folder = folder
        self._tokens = tokens
        self._output = output

    async def run(self, plan: LoadPlan) -> None:
        begun = time.perf_counter() + LEAD_SECONDS
        (self._folder / "begun").write_text(str(time.time() + LEAD_SECONDS))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send(postings(plan), begun, group))
            group.create_task(self._send(questions(plan), begun, group))

    async def _send(self, requests: Iterable[Posting | Question], begun: float, group: asyncio.TaskGroup) -> None:
        """Begin each request when it is due, without waiting for any answer."""
        for request in requests:
            await asyncio.sleep(max(0.0, begun + request.due - time.perf_counter()))
            group.create_task(self._outcome(request, begun))

    async def _outcome(self, request: Posting | Question, begun: float) -> None:
        late = time.perf_counter() - begun - request.due
        status, answer = 0, None
        try:
            response = await (self._post(request) if isinstance(request, Posting) else self._search(request))
            status, answer = response.status, json.loads(response.body)
        except (OSError, ValueError):
            status = 0
        seconds = time.perf_counter() - begun - request.due
        outcome = _outcome_of(request, late, seconds, status, answer)
        self._output.write(json.dumps(asdict(outcome)) + "\n")

    async def _post(self, posting: Posting) -> Answer:
        content = document_path(self._folder, posting.number).read_bytes()
        path = f"/v1/documents?filename=claim-{posting.number:06}.{letter_kind(posting.number)}"
        return await self._sent(path, content, posting, "application/octet-stream")

    async def _search(self, question: Question) -> Answer:
        return await self._sent("/v1/search", json.dumps({"query": question.query}).encode(), question, JSON)

    async def _sent(self, path: str, body: bytes, request: Posting | Question, kind: str) -> Answer:
        headers = {"Authorization": f"Bearer {self._tokens[request.user]}", "Content-Type": kind}
        return await self._connections.post(path, body, headers, ANSWER_SECONDS)


def _outcome_of(request: Posting | Question, late: float, seconds: float, status: int, answer: object) -> Outcome:
    late, seconds, user = round(late, 5), round(seconds, 5), request.user
    if isinstance(request, Posting):
        document_id = answer.get("document_id") if isinstance(answer, dict) else None
        return Outcome(DOCUMENT, request.due, late, seconds, status, user, request.number, document_id)
    hits = len(answer) if isinstance(answer, list) else None
    return Outcome(SEARCH, request.due, late, seconds, status, user, query=request.query, hits=hits)


def write_documents(plan: LoadPlan, folder: Path) -> int:
    """Write all documents that will be submitted, and return how many they are."""
    (folder / "documents").mkdir()
    numbers = [posting.number for posting in postings(plan)]
    for number in numbers:
        content = broken_letter(number) if plan.is_broken(number) else letter(number)
        document_path(folder, number).write_bytes(content)
    return len(numbers)


def document_path(folder: Path, number: int) -> Path:
    return folder / "documents" / str(number)


def read_outcomes(folder: Path) -> list[Outcome]:
    return [Outcome(**json.loads(line)) for line in (folder / "outcomes.jsonl").read_text().splitlines()]


async def _main(url: str, folder: Path, plan: LoadPlan, secret: str) -> None:
    tokens = [_token(number, secret) for number in range(plan.users)]
    connections = Connections(url)
    with (folder / "outcomes.jsonl").open("w") as output:
        await Callers(connections, folder, tokens, output).run(plan)
    connections.close()


def _token(number: int, secret: str) -> str:
    claims = {"sub": str(user_id(number)), "aud": "authenticated", "exp": time.time() + TOKEN_SECONDS}
    return jwt.encode(claims, secret)


if __name__ == "__main__":
    asyncio.run(
        _main(sys.argv[1], Path(sys.argv[2]), LoadPlan(**json.loads(sys.argv[3])), sys.stdin.readline().strip())
    )
