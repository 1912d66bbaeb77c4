import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, replace
from typing import Annotated
from uuid import uuid4

import typer

from ingest_assets.cli.arguments import Json
from ingest_assets.cli.console import messages, out
from ingest_assets.cli.doctor.check import Check, attempt, examined, failed, hints_of, traced_to_causes
from ingest_assets.cli.doctor.findings import remedy_of
from ingest_assets.cli.doctor.work import instance_of, work_checks
from ingest_assets.cli.doctor.workers import workers_check
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Document, DocumentId, UserId
from ingest_assets.domain.encryption import Encryption
from ingest_assets.domain.errors import OutageError, PermanentError
from ingest_assets.domain.integrity import Finding
from ingest_assets.domain.pooling import Pooling
from ingest_assets.domain.roles import Role
from ingest_assets.domain.schema import needed
from ingest_assets.pipeline.stored_objects import PROBES

UNANSWERED = ("database_unreachable", "database_refused")
OF_DATABASE, OF_DAGSTER = "encryption of the database", "encryption of Dagster's database"
PROBE = b"# Probe\n\nOne sentence."

SHARED_DATABASE = (
    "Deployments share the queue and INGEST_DRAIN_WORKERS, and must share INGEST_STORAGE_URL; the Dagster that worked "
    "on a document last shows it. If that is not wanted, stop one, or give it a database of its own: "
    "INGEST_DATABASE_URL."
)
SHARED_DAGSTER = (
    "They share Dagster's database too, for which one daemon is enough. Stop one of them, or give it a database of its "
    "own for Dagster: INGEST_DAGSTER_DATABASE_URL."
)

OWN_LOGIN = (
    "Let INGEST_DATABASE_URL log in as one that is no superuser, is a member of ingest_owner, ingest_worker and "
    "ingest_reader, and owns Dagster's database."
)
DAGSTER_REFUSES = "Dagster's database is not there yet, or refuses this login."
OWN_DAGSTER = (
    "If nothing has been started on this server yet, the first start makes it: `ingest up`. Otherwise its owner must "
    "let this login in, or INGEST_DAGSTER_DATABASE_URL must name another one."
)
ENCRYPT = (
    "Put sslmode=verify-full&sslrootcert=system into the URL of the database, or sslrootcert with the file of your own "
    "authority's certificate."
)
OTHER_REPLICA = "Let INGEST_SEARCH_DATABASE_URL name a replica of the database in INGEST_DATABASE_URL, or unset it."
LATE_REPLICA = (
    "Searches find what has been deleted meanwhile, and not what is new. See whether the replica still follows the "
    "database; until it does, unset INGEST_SEARCH_DATABASE_URL."
)
FAR_BEHIND_BYTES = 64 * 1024 * 1024
CLOSE_ENTRANCES = "As the owner of Dagster's database or a superuser, run there: {}"
CLOSE_DOORS = (
    "Only a superuser can end this. Where there is one, run `ingest migrate` once with its login; where there is none, "
    "as on many managed servers, let nobody run SQL as ingest_reader whom you do not trust with that."
)


def doctor(
    deep: Annotated[
        bool, typer.Option("--deep", help="Also read everything stored, and look for what must never happen.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check everything the pipeline depends on, and say what to do about each failure."""
    with deployed(as_json=as_json) as deployment:
        checks = list(traced_to_causes(_told_of_dagster(_examine(deployment)))) + (
            list(_examine_deeply(deployment)) if deep else []
        )
        if as_json:
            print_json([asdict(check) | {"fix": check.fix} for check in checks])
        else:
            for each in checks:
                if each.because_of is None:
                    out.print(f"{'ok' if each.ok else 'FAILED':8}{each.check}: {each.detail}")
            for cause in dict.fromkeys(each.because_of for each in checks if each.because_of):
                kept = ", ".join(each.check for each in checks if each.because_of == cause)
                out.print(f"{'FAILED':8}for the same cause as the {cause}: {kept}")
            for hint, names in hints_of(checks).items():
                messages.print(f"{', '.join(names)}: {hint}")
        if not all(check.ok for check in checks):
            raise typer.Exit(1)


def _told_of_dagster(checks: Iterable[Check]) -> Iterator[Check]:
    """Yield the checks; a refusal, while the pipeline's own database lets the login in, is of Dagster's."""
    lets_in = False
    for each in checks:
        lets_in = lets_in or (each.check == "database" and each.ok)
        refuses = lets_in and each.code == "database_refused"
        yield replace(each, detail=DAGSTER_REFUSES, hint=OWN_DAGSTER) if refuses else each


def _examine(deployment: Deployment) -> Iterator[Check]:
    yield attempt("python", lambda: sys.version.split()[0])
    server = _database(deployment)
    yield server
    if server.code == "database_unreachable" and not deployment.settings.embedded:
        with closing(deployment.without_waiting()) as hasty:
            yield from _examine_the_rest(hasty)
    else:
        yield from _examine_the_rest(deployment)


def _examine_the_rest(deployment: Deployment) -> Iterator[Check]:
    yield attempt("schema", lambda: _schema(deployment))
    if deployment.settings.search_database_url is not None:
        yield examined("read replica", lambda: _replica(deployment))
    yield examined("isolation of users", lambda: _isolation(deployment))
    yield examined("reach of readers", lambda: _reach_of_readers(deployment))
    yield examined(OF_DATABASE, lambda: _connection(OF_DATABASE, deployment.diagnosis.encryption()))
    yield examined(OF_DAGSTER, lambda: _connection(OF_DAGSTER, deployment.dagster_diagnosis.encryption()))
    yield examined("deployments on this database", lambda: _deployments(deployment))
    yield _dagster_database(deployment)
    yield from work_checks(deployment)
    yield from _workers(deployment)
    yield attempt("document store", lambda: _store(deployment))
    yield attempt("encryption of stored documents", lambda: _stored_encryption(deployment))
    yield attempt("parser", lambda: _parser(deployment))
    yield attempt("parser's sandbox", lambda: _sandbox(deployment))
    yield attempt("embedder", lambda: _embedder(deployment))


def _examine_deeply(deployment: Deployment) -> Iterator[Check]:
    yield from _try_all("what is stored", lambda: deployment.integrity.findings())  # noqa: PLW0108  its making may fail
    yield from _try_all("what Dagster shows", lambda: _shown_partitions(deployment))


def _shown_partitions(deployment: Deployment) -> Iterator[Finding]:
    from ingest_assets.orchestration.agreement import ShownPartitions

    with instance_of(deployment) as instance:
        yield from ShownPartitions(instance, deployment.told_outcomes, 2 * deployment.lease).inspect()


def _try_all(name: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Check]:
    try:
        found = list(look())
    except Exception as error:
        yield failed(name, error)
        return
    yield from [_check_of(finding) for finding in found] or [Check(name, True, "everything agrees")]


def _check_of(finding: Finding) -> Check:
    detail = finding.invariant.breach + (f" ({finding.count} times)" if finding.count > 1 else "")
    return Check(finding.kind, False, detail, finding.kind, remedy_of(finding), finding.count, finding.document_ids)


def _database(deployment: Deployment) -> Check:
    check = attempt("database", lambda: _server(deployment))
    if check.code not in UNANSWERED or deployment.settings.embedded:
        return check
    return replace(check, hint=f"The server is looked for at {deployment.diagnosis.place()}. {check.hint}")


def _server(deployment: Deployment) -> str:
    told = (
        f"PostgreSQL {deployment.diagnosis.version()}, {'embedded' if deployment.settings.embedded else 'your server'}"
    )
    pooling = Pooling.NONE if deployment.settings.embedded else deployment.diagnosis.pooling()
    return told if pooling is Pooling.NONE else f"{told}, behind a pooler in {pooling} mode"


def _schema(deployment: Deployment) -> str:
    missing = deployment.diagnosis.pending_migrations()
    if needed(missing):
        raise OutageError("schema_outdated")
    if missing:
        return f"suits this code; once no older code runs, apply {', '.join(missing)}: ingest migrate"
    return "up to date"


def _replica(deployment: Deployment) -> Check:
    name, state = "read replica", deployment.replica_state()
    if state is None or not state.is_same:
        return Check(name, False, "it follows another database, whose documents searches find", hint=OTHER_REPLICA)
    if not state.is_replica:
        return Check(name, True, "it is the database itself, not a replica")
    if not state.behind_bytes:
        return Check(name, True, "it has all that was written")
    last = "none" if state.since_last is None else f"{state.since_last.total_seconds():.0f} seconds old"
    detail = f"it is {state.behind_bytes} bytes behind; the last change that has arrived: {last}"
    return Check(name, True, detail, hint=None if state.behind_bytes < FAR_BEHIND_BYTES else LATE_REPLICA)


def _isolation(deployment: Deployment) -> Check:
    name = "isolation of users"
    login, bypasses, unprotected = deployment.isolation()
    if unprotected:
        return failed(name, PermanentError("rows_unprotected", tables=", ".join(unprotected)))
    if not bypasses:
        return Check(name, True, f"row-level security holds for {login}")
    detail = f"row-level security holds while {login} acts as {Role.WORKER}; the login itself would bypass it"
    return Check(name, True, detail, hint=OWN_LOGIN)


def _connection(name: str, found: Encryption) -> Check:
    if found.protocol is None:
        detail = "not encrypted: " + (
            "nothing leaves the machine" if found.is_local else "anybody on the way reads along"
        )
        return Check(name, found.is_local, detail, hint=None if found.is_local else ENCRYPT)
    if found.checks_server or found.is_local:
        return Check(name, True, found.protocol)
    return Check(name, True, f"{found.protocol}, with whoever answers: no certificate is checked", hint=ENCRYPT)


def _reach_of_readers(deployment: Deployment) -> Check:
    name = "reach of readers"
    doors, entrances = deployment.diagnosis.open_doors(), deployment.dagster_diagnosis.open_entrances()
    if not doors + entrances:
        return Check(name, True, f"{Role.READER} only reads, within its time-outs, which it may change")
    hints = [CLOSE_DOORS] * bool(doors) + [CLOSE_ENTRANCES.format(each.closing) for each in entrances]
    told = "; ".join(each.door for each in doors + entrances)
    return Check(name, True, f"{Role.READER} may also {told}", hint=" ".join(hints))


def _deployments(deployment: Deployment) -> Check:
    name = "deployments on this database"
    others, is_contested = deployment.instances.others(), deployment.instances.is_contested()
    if is_contested:
        return failed(name, PermanentError("instance_name_shared"))
    if not others:
        return Check(name, True, "no other one is at work")
    told = ", ".join(f"{each.name} since {each.began_at.astimezone():%Y-%m-%d %H:%M}" for each in others)
    hint = SHARED_DAGSTER if any(each.shares_dagster for each in others) else SHARED_DATABASE
    return Check(name, True, f"also at work: {told}", hint=hint)


def _workers(deployment: Deployment) -> Iterator[Check]:
    broker_url, has_lanes = deployment.settings.broker_url, deployment.settings.lanes
    if broker_url is not None:
        yield examined("workers", lambda: workers_check(broker_url.get_secret_value(), has_lanes=has_lanes))


def _dagster_database(deployment: Deployment) -> Check:
    check = attempt("Dagster's database", lambda: _dagster_server(deployment))
    if check.ok or deployment.settings.dagster_database_url is None:
        return check
    return replace(check, detail=f"{check.detail} It is Dagster's own, at {deployment.dagster_diagnosis.place()}.")


def _dagster_server(deployment: Deployment) -> str:
    deployment.dagster_diagnosis.answers()
    return "answers"


def _store(deployment: Deployment) -> str:
    objects, key = deployment.objects, f"{PROBES}{uuid4()}"
    deployment.store_ownership.check()
    objects.put(f"{key}/probe", PROBE)
    objects.get(f"{key}/probe")
    objects.delete_below(key)
    return "writable"


def _stored_encryption(deployment: Deployment) -> str:
    deployment.objects.check()
    if deployment.settings.master_key_file is None:
        return "none: INGEST_MASTER_KEY_FILE is not set"
    return "AES-256 with one key per user; the master key is readable"


def _parser(deployment: Deployment) -> str:
    parsed = deployment.parser.parse(PROBE, _probe())
    return f"{parsed.parser.name} {parsed.parser.version}"


def _sandbox(deployment: Deployment) -> str:
    seals = deployment.local_parser.seals()
    held, missing = (", ".join(name for name, holds in seals.items() if holds is wanted) for wanted in (True, False))
    return "; ".join([f"sealed by {held}" if held else "limits only", *([f"without {missing}"] if missing else [])])


def _embedder(deployment: Deployment) -> str:
    embedder = deployment.embedder
    embedder.embed([PROBE.decode()], _probe())
    return f"{embedder.model.name} {embedder.model.version}"


def _probe() -> Document:
    ids = DocumentId(uuid4()), UserId(uuid4())
    return Document(*ids, 1, "probe.md", "text/markdown", len(PROBE), "0" * 64)
