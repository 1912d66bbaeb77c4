"""A whole deployment, told a word in every way there is: it is found where documents are kept, and nowhere else."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString
from uuid import uuid4

import httpx
import psycopg
import pytest
from reportlab.pdfgen.canvas import Canvas

from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres
from ingest_assets_tests.canary import Canary
from ingest_assets_tests.emulators.telling import FAILING, REFUSED, TellingLlamaParse, TellingOpenAI
from ingest_assets_tests.http.api import token_of
from ingest_assets_tests.orchestration.runs import NAMES
from ingest_assets_tests.otlp_receiver import receiving_traces
from ingest_assets_tests.system.ingest import INGEST, Ingest
from ingest_assets_tests.system.test_deployment import launch
from ingest_assets_tests.waiting import until

CANARY = Canary("Quokka7f3a9c")
OPENAI_KEY, LLAMAPARSE_KEY, JWT_SECRET = (
    "Kiwi5b2e8dopenai",
    "Kakapo91c4parser",
    "Takahe3d7a50forty1charactersthatonlytestsknow",
)
SECRETS = [Canary(OPENAI_KEY), Canary(LLAMAPARSE_KEY), Canary(JWT_SECRET)]
OWNER = str(uuid4())

OCCASION = "4bf92f3577b34da6a3ce929d0e0e4736"
"""The trace id of a request, which is found in every log on the document's way, at the provider and in the history."""

LAST = "finalized_chunks"

MAY_SAY_IT = {
    "documents": {"filename", "metadata"},
    "document_sources": {"source"},
    "document_chunk_buffer": {"title", "heading_path", "text"},
    "document_chunks": {"title", "heading_path", "text", "full_text"},
    "webhook_log": {"body"},
}
"""What is a document's own, below row-level security, and goes with it."""

REFUSING_ROWS = """ALTER TABLE upload_pipeline.document_chunk_buffer
ADD CONSTRAINT refusing CHECK (text NOT LIKE '%row refused%') NOT VALID"""
"""Postgres quotes the whole row in its error."""

FAILING_QUEUE = f"""CREATE OR REPLACE FUNCTION upload_pipeline.turns(
    after uuid, most integer, retries_only boolean, per_user integer, wanted text)
RETURNS TABLE (user_id uuid, place integer, share integer) LANGUAGE plpgsql
AS $$ BEGIN RAISE EXCEPTION 'of {CANARY.word}'; END $$"""
"""No job's failure, but that of whatever looks at the queue."""

DEAD_LETTERS = "SELECT count(*) FROM upload_pipeline.upload_jobs WHERE state = 'deadletter'"
FAILED_TICKS = "SELECT count(*) FROM job_ticks WHERE status = 'FAILURE'"


def text(clause: str) -> str:
    word = CANARY.word
    return f"# {word} plan\n\n## For {word}@example.org\n\nThe {word} has a {clause}, of {word}.\n"


def described_pdf() -> bytes:
    canvas = Canvas("")
    for describe in (canvas.setTitle, canvas.setAuthor, canvas.setSubject, canvas.setKeywords, canvas.setCreator):
        describe(CANARY.word)
    canvas.drawString(72, 700, f"The {CANARY.word} has a broken leg, and is covered.")
    return bytes(canvas.getpdfdata())


def backlog(folder: Path) -> list[Path]:
    """More than get a run each: a drain run works them off."""
    said = CANARY.word
    mail = f"From: {said}@example.org\nTo: {said}@example.com\nSubject: {said}\n\nThe {said} is ill.\n"
    contents = {
        "good.md": text("broken leg").encode(),
        "refused.md": text(REFUSED.decode()).encode(),
        "failing.md": text(FAILING.decode()).encode(),
        "described.pdf": described_pdf(),
        "corrupt.pdf": f"%PDF-1.4 {said} truncated".encode(),
        "mail.eml": mail.encode(),
    }
    return written(folder, contents)


def few(folder: Path) -> list[Path]:
    """Each gets a run of its partition, and fails there."""
    contents = {
        "violating.md": text("row refused").encode(),
        "refused.md": text(f"second {REFUSED.decode()}").encode(),
        "corrupt.pdf": f"%PDF-1.4 {CANARY.word} cut off".encode(),
    }
    return written(folder, contents)


def written(folder: Path, contents: dict[str, bytes]) -> list[Path]:
    folder.mkdir(parents=True)
    paths = [folder / f"{CANARY.word} {name}" for name in contents]
    for path, content in zip(paths, contents.values(), strict=True):
        path.write_bytes(content)
    return paths


@dataclass
class Deployed:
    ingest: Ingest
    stderr: list[str] = field(default_factory=list)
    """Of every command and process."""
    served: str = ""
    """What `ingest serve` has logged."""

    def __call__(self, *arguments: str | Path) -> list[dict[str, str]]:
        ran = self.ingest(*arguments, "--json")
        self.stderr.append(ran.stderr)
        found: list[dict[str, str]] = ran.json if ran.stdout else []
        return found

    @contextmanager
    def serving(self) -> Iterator[str]:
        process = subprocess.Popen(
            [INGEST, "serve", "--port", "0", "--json"],
            env=self.ingest.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        announced = ""
        while not announced.endswith("}\n"):
            announced += process.stdout.readline()
        try:
            yield json.loads(announced)["url"]
        finally:
            process.send_signal(signal.SIGTERM)
            self.served = process.communicate(timeout=60)[1]
            self.stderr.append(self.served)


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[Deployed]:
    with (
        TellingOpenAI(CANARY.word, OPENAI_KEY) as embedding,
        TellingLlamaParse(CANARY.word, LLAMAPARSE_KEY) as parsing,
        receiving_traces() as traces,
    ):
        settings = {
            "OPENAI_API_KEY": OPENAI_KEY,
            "OPENAI_BASE_URL": embedding.base_url,
            "LLAMA_CLOUD_API_KEY": LLAMAPARSE_KEY,
            "LLAMA_CLOUD_BASE_URL": parsing.url,
            "INGEST_JWT_SECRET": JWT_SECRET,
            "INGEST_USER_ID": OWNER,
            "INGEST_DRAIN_IDLE_SECONDS": "1",
            "INGEST_LOG_FORMAT": "json",
            "OTEL_EXPORTER_OTLP_ENDPOINT": traces.url,
        }
        yield Deployed(Ingest(tmp_path, tuple(settings.items())))
        assert OCCASION in embedding.occasions
        spans = {span.name for span in traces.spans if span.trace_id == OCCASION}
        assert spans >= {"HTTP request", "intake", "parsed_markdown", "chunks", "embeddings", "provider call", LAST}
        assert not any(each.is_in(str(traces.spans)) for each in (CANARY, *SECRETS))
        assert embedding.failed
        assert not parsing.busy


def all_of(causes: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    return causes if sum(cause["count"] for cause in causes) == count else []


def history_of(url: str, occasion: str) -> str | None:
    """The document that became done in what followed from an occasion, which all of its events name."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT document_id::text, state, correlation_id FROM upload_pipeline.events WHERE document_id = ("
            "SELECT document_id FROM upload_pipeline.events WHERE correlation_id = %s LIMIT 1) ORDER BY event_id",
            [occasion],
        ).fetchall()
    if not rows or rows[-1][1] != "done":
        return None
    assert {named for _, _, named in rows} == {occasion}
    return str(rows[0][0])


def lines_of(log: str) -> list[dict[str, Any]]:
    """The lines of a log, each of which is an object with what a program looks for."""
    lines = [json.loads(line) for line in log.splitlines()]
    assert all(line.keys() >= {"time", "level", "logger", "message", "correlation_id", "code"} for line in lines)
    return lines


def named_by_its_occasion(served: str, logs: Path) -> set[str]:
    """The documents that the logs of a deployment name with the occasion; every line of them is JSON."""
    asked = [line for line in lines_of(served) if line["correlation_id"] == OCCASION]
    assert [line["logger"] for line in asked] == ["ingest_assets.http"]
    worked = [line for path in logs.glob("*.log") for line in lines_of(path.read_text())]
    assert {"corrupt", "service_refused"} <= {line["code"] for line in worked}
    return {line["document_id"] for line in worked if line["correlation_id"] == OCCASION}


def number(url: str, query: LiteralString) -> int:
    with psycopg.connect(url) as connection:
        return sum(int(count) for (count,) in connection.execute(query))


def ask_over_http(url: str) -> list[httpx.Response]:
    """What is no answer of its own to whoever asked."""
    said = CANARY.word
    token = token_of(OWNER, JWT_SECRET, email=f"{said}@example.org", name=said)
    named = {"filename": f"{said}.md", "source": f"/{said}"}
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        repeated = {"Idempotency-Key": said}
        traced = repeated | {"traceparent": f"00-{OCCASION}-00f067aa0ba902b7-01"}
        submitted = client.post("/v1/documents", params=named, headers=traced, content=text("sprained wing"))
        assert submitted.status_code == 202, submitted.text
        assert client.post("/v1/search", json={"query": said}).status_code == 200
        return [
            client.post("/v1/documents", params=named, headers=repeated, content=said),
            client.post("/v1/documents", params={"filename": f"{said}.pdf"}, content=f"PK {said}\x00"),
            client.post("/v1/search", json={"query": said, said: said, "limit": said}),
            client.get(f"/v1/documents/{said}"),
            client.post(f"/v1/webhooks/llamaparse?secret={said}", content=json.dumps({"txt": said, "md": said})),
            client.get(f"/{said}", headers={"Authorization": f"Bearer {said}"}),
            client.get(f"/v1/documents/{uuid4()}", headers={"Authorization": f"Bearer {said}"}),
        ]


@pytest.mark.timeout(300)
def test_what_documents_say_is_found_where_documents_are_kept_and_nowhere_else(
    deployed: Deployed, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "ingest"
    folder = tmp_path / f"folder of {CANARY.word}"
    with EmbeddedPostgres(home) as server:
        deployed("migrate")
        with psycopg.connect(server.url()) as connection:
            connection.execute(REFUSING_ROWS)
        with deployed.ingest.up() as ui:
            known = f"contact={CANARY.word}"
            submitted = deployed("submit", *backlog(folder / "many"), "--wait", "--metadata", known)
            states = {Path(each["path"]).name.split()[-1]: each.get("code", each["state"]) for each in submitted}
            one_by_one = deployed("submit", *few(folder / "few"))
            until(lambda: number(server.url(), DEAD_LETTERS) == len(one_by_one) + 2)
            failures = all_of(deployed("status", "--failed"), len(one_by_one) + 2)
            ids = [each["document_id"] for each in [*submitted, *one_by_one]]
            ended = [launch(ui, each, NAMES) for each in (ids[0], one_by_one[0]["document_id"])]
            with deployed.serving() as url:
                answers = ask_over_http(url)
                done = until(lambda: history_of(server.url(), OCCASION))
            for each in ids[:2]:
                deployed("explain", each)
                deployed("status", each)
            assert deployed("search", f"{CANARY.word} leg", "--where", known)
            assert deployed("facets", "contact")
            assert deployed("metadata", ids[0], "--set", f"also={CANARY.word}")
            deployed("search", "leg", "--where", f"date={CANARY.word}")
            deployed("status", "--failed")
            deployed("search", CANARY.word, "--user", CANARY.word)
            deployed("submit", tmp_path / CANARY.word)
            deployed("delete", ids[0])
            with psycopg.connect(server.url()) as connection:
                connection.execute(FAILING_QUEUE.encode())
            deployed("drain")
            until(lambda: number(server.url("dagster"), FAILED_TICKS))
        in_dagster, in_ingest = CANARY.in_database(server.url("dagster")), CANARY.in_database(server.url())
        keys = [
            place for key in SECRETS for name in ("ingest", "dagster") for place in key.in_database(server.url(name))
        ]
    assert states == {
        "good.md": "done",
        "failing.md": "done",
        "described.pdf": "done",
        "mail.eml": "done",
        "refused.md": "service_refused",
        "corrupt.pdf": "corrupt",
    }
    assert ended == ["SUCCESS", "FAILURE"]
    assert named_by_its_occasion(deployed.served, home / "dagster" / "logs") == {done}
    assert "unexpected" in {each["code"] for each in failures}, "no row was refused: that proves nothing"
    assert in_dagster == []
    assert set(in_ingest) <= {
        f"upload_pipeline.{table}.{column}" for table in MAY_SAY_IT for column in MAY_SAY_IT[table]
    }
    assert {"upload_pipeline.documents.filename", "upload_pipeline.document_chunks.text"} <= set(in_ingest)
    assert CANARY.below(home, "objects", "postgres") == []
    shown = "".join(deployed.stderr) + capfd.readouterr().err
    assert not CANARY.is_in(shown), shown
    for answer in answers:
        assert not CANARY.is_in(answer.text + str(answer.headers)), answer.text
    assert keys == []
    for key in SECRETS:
        assert key.below(home, "postgres") == []
        assert not key.is_in(shown)
