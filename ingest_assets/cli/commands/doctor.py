import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from uuid import uuid4

import typer

from ingest_assets.cli.arguments import Json
from ingest_assets.cli.console import print_table
from ingest_assets.cli.hints import hint_of
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.cli.results import print_hints
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Document, DocumentId, UserId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.roles import Role
from ingest_assets.pipeline.failure import as_ingest_error

PROBE = b"# Probe\n\nOne sentence."


@dataclass(frozen=True, slots=True)
class Check:
    """What was checked, whether it works, and what to do if it does not."""

    check: str
    ok: bool
    detail: str
    code: str | None = None
    hint: str | None = None


def doctor(as_json: Json = False) -> None:
    """Check everything the pipeline depends on, and say what to do about each failure."""
    with deployed(as_json=as_json) as deployment:
        checks = list(_examine(deployment))
        if as_json:
            print_json([asdict(check) for check in checks])
        else:
            print_table(
                ("", "check", ""), [("ok" if each.ok else "FAILED", each.check, each.detail) for each in checks]
            )
            print_hints((each.check, each.hint) for each in checks if each.hint)
        if not all(check.ok for check in checks):
            raise typer.Exit(1)


def _examine(deployment: Deployment) -> Iterator[Check]:
    yield _try("python", lambda: sys.version.split()[0])
    yield _try("database", lambda: _server(deployment))
    yield _try("schema", lambda: _schema(deployment))
    yield _isolation(deployment)
    yield _try("Dagster's database", lambda: _dagster_server(deployment))
    yield _try("document store", lambda: _store(deployment))
    yield _try("parser", lambda: _parser(deployment))
    yield _try("parser's sandbox", lambda: _sandbox(deployment))
    yield _try("embedder", lambda: _embedder(deployment))


def _try(name: str, examine: Callable[[], str]) -> Check:
    try:
        return Check(name, True, examine())
    except Exception as error:
        return _failed(name, error)


def _failed(name: str, error: Exception) -> Check:
    problem = as_ingest_error(error)
    return Check(name, False, problem.message, problem.code, hint_of(problem.code, problem.hint))


def _server(deployment: Deployment) -> str:
    return (
        f"PostgreSQL {deployment.diagnosis.version()}, {'embedded' if deployment.settings.embedded else 'your server'}"
    )


def _schema(deployment: Deployment) -> str:
    if deployment.diagnosis.pending_migrations():
        raise PermanentError("database_not_migrated")
    return "up to date"


def _isolation(deployment: Deployment) -> Check:
    name = "isolation of users"
    try:
        login, bypasses, unprotected = deployment.isolation()
    except Exception as error:
        return _failed(name, error)
    if unprotected:
        return _failed(name, PermanentError("rows_unprotected", tables=", ".join(unprotected)))
    if not bypasses:
        return Check(name, True, f"row-level security holds for {login}")
    detail = f"row-level security holds while {login} acts as {Role.WORKER}; the login itself would bypass it"
    return Check(name, True, detail, hint=f"Let INGEST_DATABASE_URL log in as {Role.WORKER}.")


def _dagster_server(deployment: Deployment) -> str:
    deployment.dagster_diagnosis.answers()
    return "answers"


def _store(deployment: Deployment) -> str:
    objects, key = deployment.objects, f"doctor/{uuid4()}"
    objects.put(f"{key}/probe", PROBE)
    objects.get(f"{key}/probe")
    objects.delete_below(key)
    return "writable"


def _parser(deployment: Deployment) -> str:
    parsed = deployment.parser.parse(PROBE, _probe())
    return f"{parsed.parser.name} {parsed.parser.version}"


def _sandbox(deployment: Deployment) -> str:
    return "sealed" if deployment.local_parser.is_sealed() else "limits only: this system cannot filter system calls"


def _embedder(deployment: Deployment) -> str:
    embedder = deployment.embedder
    embedder.embed([PROBE.decode()], _probe())
    return f"{embedder.model.name} {embedder.model.version}"


def _probe() -> Document:
    ids = DocumentId(uuid4()), UserId(uuid4())
    return Document(*ids, 1, "probe.md", "text/markdown", len(PROBE), "0" * 64)
