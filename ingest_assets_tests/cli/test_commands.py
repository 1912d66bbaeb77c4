"""Bad input gets a stable code, a sentence and something to do; never a traceback, and nothing is lost."""

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres
from ingest_assets.adapters.postgres.queue.instances import PostgresInstances
from ingest_assets.cli.app import SUMMARIES
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.settings import login_url
from ingest_assets_tests import documents
from ingest_assets_tests.cases.found import FILES
from ingest_assets_tests.conftest import CORPUS
from ingest_assets_tests.documents import policy_text
from ingest_assets_tests.sample_files import pdf, scanned_pdf
from ingest_assets_tests.system.ingest import Ingest, Ran

USER = str(uuid4())
needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is absent: no real file is tried")


@pytest.fixture
def ingest(database_url: str, tmp_path: Path) -> Ingest:
    home = tmp_path / "home"
    home.mkdir()
    return Ingest(home, (("INGEST_DATABASE_URL", database_url), ("INGEST_USER_ID", USER)))


def rejected(ran: Ran) -> list[str]:
    assert ran.code == 1
    for result in ran.json:
        if result["status"] == "rejected":
            assert result["message"]
            assert result["hint"]
            assert result["document_id"] is None
    return [result["code"] for result in ran.json if result["status"] == "rejected"]


def test_a_missing_path(ingest: Ingest, tmp_path: Path) -> None:
    assert rejected(ingest("submit", tmp_path / "nowhere.pdf", "--json")) == ["path_missing"]


def test_an_empty_file(ingest: Ingest, tmp_path: Path) -> None:
    (tmp_path / "empty.md").touch()
    assert rejected(ingest("submit", tmp_path / "empty.md", "--json")) == ["empty_file"]


def test_an_unknown_type(ingest: Ingest, tmp_path: Path) -> None:
    (tmp_path / "noise.bin").write_bytes(bytes(range(256)) * 8)
    assert rejected(ingest("submit", tmp_path / "noise.bin", "--json")) == ["unsupported"]


def test_a_type_that_contradicts_its_extension(ingest: Ingest, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "policy.pdf", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("content.xml", "<a/>")
    assert rejected(ingest("submit", tmp_path / "policy.pdf", "--json")) == ["type_mismatch"]


def test_more_than_25_megabytes(ingest: Ingest, tmp_path: Path) -> None:
    (tmp_path / "large.txt").write_bytes(b"word " * (5 * 1024 * 1024 + 1))
    assert rejected(ingest("submit", tmp_path / "large.txt", "--json")) == ["too_large"]


def test_a_folder_that_links_back_to_itself_is_left_after_its_files(ingest: Ingest, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    (folder / "policy.md").write_text(policy_text())
    (folder / "inner" / "back").symlink_to(folder)
    ran = ingest("submit", folder, "--json")
    assert ran.code == 0
    assert [(result["status"], result.get("code")) for result in ran.json] == [
        ("skipped", "folder_loop"),
        ("queued", None),
    ]


@needs_corpus
def test_a_scanned_report_is_found_by_its_words(ingest: Ingest) -> None:
    ingest("submit", CORPUS / "formats/MEDRPT-2024-PAT-3847_medical_report_scan.pdf")
    assert ingest("drain", "--json").json["dead_letters"] == 0
    found = ingest("search", "persistent headaches and mild nausea", "--json").json
    assert "mild nausea" in found[0]["text"]
    assert found[0]["page"] == 1


@needs_corpus
@pytest.mark.parametrize(
    ("path", "code"),
    [("hostile/libreoffice-writer-password.pdf", "encrypted")],
)
def test_a_file_that_only_parsing_unmasks_is_explained(ingest: Ingest, path: str, code: str) -> None:
    [submitted] = ingest("submit", CORPUS / path, "--json").json
    if submitted["status"] == "rejected":
        assert submitted["code"] == code
        return
    drained = ingest("drain", "--json")
    assert drained.json["dead_letters"] == 1
    explained = ingest("explain", submitted["document_id"], "--json").json
    assert (explained["searchable"], explained["code"]) == (False, code)
    assert explained["cause"]
    assert explained["fix"].startswith("ingest submit")


def test_one_bad_file_keeps_none_of_the_others_out(ingest: Ingest, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.md").write_text(policy_text("Dental"))
    (folder / "b.pdf").write_bytes(b"PK\x03\x04 no")
    (folder / "c.md").write_text(policy_text("Optical"))
    ran = ingest("submit", folder, "--json")
    assert [result["status"] for result in ran.json] == ["queued", "rejected", "queued"]


def test_what_is_submitted_with_a_higher_priority_is_worked_on_first(
    ingest: Ingest, tmp_path: Path, deployment: Deployment
) -> None:
    ids = []
    for priority in ("-5", "0", "5"):
        path = tmp_path / f"{priority}.md"
        path.write_text(policy_text(priority))
        ids += [result["document_id"] for result in ingest("submit", path, "--priority", priority, "--json").json]
    claimed = deployment.claims.claim("worker", 3, deployment.settings.lease)
    assert [str(job.document.document_id) for job in claimed] == ids[::-1]
    assert ingest("submit", tmp_path, "--priority", "101").code == 2


@pytest.mark.parametrize("command", ["status", "explain", "delete", "retry"])
@pytest.mark.parametrize("name", ["00000000-0000-4000-8000-000000000999", "no-such-name", "abcd"])
def test_an_unknown_document(ingest: Ingest, command: str, name: str) -> None:
    ran = ingest(command, name, "--json")
    assert (ran.code, ran.error["code"]) == (1, "unknown_document")


def test_documents_are_called_by_path_name_or_the_beginning_of_their_ids(ingest: Ingest, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("motor", "household")]
    for folder in folders:
        folder.mkdir()
        (folder / "terms.md").write_text(policy_text(folder.name))
    (tmp_path / "only.md").write_text(policy_text("only"))
    ids = [ingest("submit", folder, "--json").json[0]["document_id"] for folder in folders]
    only = ingest("submit", tmp_path / "only.md", "--json").json[0]["document_id"]
    for name, meant in (
        *((folder / "terms.md", document_id) for folder, document_id in zip(folders, ids, strict=True)),
        *((name, only) for name in ("only.md", "ONLY.md", only[:13])),
    ):
        assert ingest("explain", name, "--json").json["document_id"] == meant
    ran = ingest("status", "terms.md", "--json")
    assert (ran.code, ran.error["code"]) == (2, "ambiguous_name")
    assert ran.stderr.splitlines()[:-1] == sorted(ids, key=lambda each: UUID(each).int)
    assert "terms" not in ran.stderr


def test_a_wrong_user_is_wrong_usage(ingest: Ingest) -> None:
    ran = ingest("search", "anything", "--user", "me", "--json")
    assert (ran.code, ran.error["code"]) == (2, "invalid_id")


def test_no_user_on_a_server_of_ones_own(database_url: str, tmp_path: Path) -> None:
    ran = Ingest(tmp_path, (("INGEST_DATABASE_URL", database_url),))("search", "anything", "--json")
    assert (ran.code, ran.error["code"]) == (2, "user_missing")


def test_an_unreachable_database(tmp_path: Path) -> None:
    ingest = Ingest(tmp_path, (("INGEST_DATABASE_URL", f"postgresql://secret@/nowhere?host={tmp_path}"),))
    ran = ingest("migrate", "--json")
    assert (ran.code, ran.error["code"]) == (1, "database_unreachable")
    assert "secret" not in ran.stderr


def test_a_database_that_was_never_migrated(empty_database_url: str, tmp_path: Path) -> None:
    ran = Ingest(tmp_path, (("INGEST_DATABASE_URL", empty_database_url),))("status", "--json")
    assert (ran.code, ran.error["code"]) == (1, "schema_outdated")
    assert ran.error["hint"].startswith("Migrate the schema: `ingest migrate`")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INGEST_CHUNK_CHARACTERS", "many"),
        ("INGEST_STORAGE_URL", "ftp://somewhere"),
        ("INGEST_ALERT_FORMAT", "pager"),
        ("INGEST_LOG_FORMAT", "xml"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(ingest: Ingest, tmp_path: Path, name: str, value: str) -> None:
    ran = Ingest(tmp_path, (*ingest.extra, (name, value)))("status", "--json")
    assert (ran.code, ran.error["code"]) == (2, "setting_invalid")
    assert name in ran.error["message"]
    assert value not in ran.error["message"]


def test_an_unknown_option_is_wrong_usage(ingest: Ingest) -> None:
    assert ingest("status", "--nonsense").code == 2


def test_a_document_that_did_not_fail_cannot_be_retried(ingest: Ingest, tmp_path: Path) -> None:
    (tmp_path / "policy.md").write_text(policy_text())
    [submitted] = ingest("submit", tmp_path / "policy.md", "--json").json
    ran = ingest("retry", submitted["document_id"], "--json")
    assert (ran.code, ran.error["code"]) == (1, "not_failed")


def test_how_each_document_ended_is_told_after_the_wait_and_on_every_later_submission(
    ingest: Ingest, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "good.md").write_text(policy_text())
    (folder / "truncated.pdf").write_bytes(b"%PDF-1.4 truncated")
    ingest("submit", folder)
    ingest("drain")
    ran = ingest("submit", folder, "--wait", "--json")
    told = {Path(each["path"]).name: each for each in ran.json}
    assert (told["good.md"]["status"], told["good.md"]["state"]) == ("unchanged", "done")
    assert (told["truncated.pdf"]["state"], told["truncated.pdf"]["code"]) == ("deadletter", "corrupt")
    [again] = [each for each in ingest("submit", folder, "--json").json if each["path"].endswith(".pdf")]
    assert (again["status"], again["code"]) == ("unchanged", "corrupt")
    [failed] = ingest("status", "--failed", "--json").json
    assert (failed["code"], failed["count"], failed["waiting"]) == ("corrupt", 1, 0)
    assert failed["documents"] == [again["document_id"]]
    assert failed["hint"]
    assert "truncated.pdf" in ingest("status", "--failed").stdout


def test_the_history_of_a_deleted_document_stays_without_its_content(ingest: Ingest, tmp_path: Path) -> None:
    (tmp_path / "canary.md").write_text(policy_text("Canary"))
    [submitted] = ingest("submit", tmp_path / "canary.md", "--json").json
    ingest("delete", submitted["document_id"])
    ran = ingest("explain", submitted["document_id"], "--json")
    assert (ran.json["searchable"], ran.json["code"]) == (False, "deleted")
    assert [line["code"] for line in ran.json["history"]][-1] == "deleted"
    assert "anary" not in ran.stdout


def test_nothing_is_deleted_where_one_of_the_documents_is_unknown(ingest: Ingest, tmp_path: Path) -> None:
    (tmp_path / "kept.md").write_text(policy_text("Kept"))
    [submitted] = ingest("submit", tmp_path / "kept.md", "--json").json
    refused = ingest("delete", submitted["document_id"], USER, "--json")
    assert (refused.code, refused.error["code"]) == (1, "unknown_document")
    assert ingest("status", submitted["document_id"], "--json").json["document_id"] == submitted["document_id"]


@pytest.mark.parametrize("command", [("search", "anything"), ("submit", "README.md"), ("status",)])
def test_every_command_says_where_the_schema_is_missing(
    empty_database_url: str, tmp_path: Path, command: tuple[str, ...]
) -> None:
    extra = (("INGEST_DATABASE_URL", empty_database_url), ("INGEST_USER_ID", USER))
    ran = Ingest(tmp_path, extra)(*command, "--json")
    assert (ran.code, ran.error["code"]) == (1, "schema_outdated")


def test_doctor_says_what_to_do_about_a_database_that_is_not_migrated(
    empty_database_url: str, tmp_path: Path, postgres: EmbeddedPostgres
) -> None:
    extra = (("INGEST_DATABASE_URL", empty_database_url), ("INGEST_DAGSTER_DATABASE_URL", postgres.url("postgres")))
    ran = Ingest(tmp_path, extra)("doctor", "--json")
    assert ran.code == 1
    failed = {check["check"]: check for check in ran.json if not check["ok"]}
    assert failed["schema"]["code"] == "schema_outdated"
    assert failed["schema"]["hint"]
    sealed = next(check["detail"] for check in ran.json if check["check"] == "parser's sandbox")
    assert all(seal in sealed for seal in ("filter", "landlock", "namespaces", "user", "threads"))


def test_doctor_says_that_the_store_belongs_to_another_database(
    database_url: str, tmp_path: Path, postgres: EmbeddedPostgres
) -> None:
    extra = (("INGEST_DATABASE_URL", database_url), ("INGEST_DAGSTER_DATABASE_URL", postgres.url("postgres")))

    def told() -> tuple[bool, str | None]:
        checks = Ingest(tmp_path, extra)("doctor", "--json").json
        return next((check["ok"], check["code"]) for check in checks if check["check"] == "document store")

    assert told() == (True, None)
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE upload_pipeline.object_store SET store_id = gen_random_uuid()")
    assert told() == (False, "store_mismatched")


def test_doctor_names_another_deployment_on_the_database_and_says_what_to_do(
    database_url: str, tmp_path: Path, postgres: EmbeddedPostgres, deployment: Deployment
) -> None:
    def told() -> dict[str, Any]:
        extra = (("INGEST_DATABASE_URL", database_url), ("INGEST_DAGSTER_DATABASE_URL", postgres.url("postgres")))
        checks = Ingest(tmp_path, extra)("doctor", "--json").json
        return next(check for check in checks if check["check"] == "deployments on this database")

    assert (told()["ok"], told()["hint"]) == (True, None)
    deployment.instances.renew("a Dagster")
    assert f"{deployment.instance_name} since 20" in told()["detail"]
    assert "INGEST_DATABASE_URL" in told()["hint"]


def test_doctor_notices_another_deployment_of_the_same_name(
    database_url: str, tmp_path: Path, postgres: EmbeddedPostgres, deployment: Deployment
) -> None:
    for boot in ("the original", "a copy", "the original"):
        PostgresInstances(deployment.database, "same", boot).renew("a Dagster")
    extra = (("INGEST_DATABASE_URL", database_url), ("INGEST_DAGSTER_DATABASE_URL", postgres.url("postgres")))
    checks = Ingest(tmp_path, (*extra, ("INGEST_INSTANCE", "same")))("doctor", "--json").json
    [found] = [check for check in checks if check["check"] == "deployments on this database"]
    assert (found["ok"], found["code"]) == (False, "instance_name_shared")


def test_doctor_says_whether_row_security_holds(
    ingest: Ingest, database_url: str, tmp_path: Path, postgres: EmbeddedPostgres
) -> None:
    def isolation(url: str) -> dict[str, Any]:
        extra = (("INGEST_DATABASE_URL", url), ("INGEST_DAGSTER_DATABASE_URL", postgres.url("postgres")))
        checks = Ingest(tmp_path, extra)("doctor", "--json").json
        return next(check for check in checks if check["check"] == "isolation of users")

    as_superuser, as_worker = isolation(database_url), isolation(login_url(database_url, "ingest_worker"))
    assert "bypass" in as_superuser["detail"]
    assert "ingest_worker" in as_superuser["hint"]
    assert (as_worker["ok"], as_worker["hint"]) == (True, None)
    with psycopg.connect(database_url) as connection:
        connection.execute("ALTER TABLE upload_pipeline.documents DISABLE ROW LEVEL SECURITY")
    unprotected = isolation(database_url)
    assert (unprotected["ok"], unprotected["code"]) == (False, "rows_unprotected")
    assert "documents" in unprotected["detail"]


def test_doctor_looks_for_what_must_never_happen_if_it_is_asked_to(
    database_url: str, empty_database_url: str, tmp_path: Path
) -> None:
    extra = (("INGEST_DATABASE_URL", database_url), ("INGEST_DAGSTER_DATABASE_URL", empty_database_url))
    ingest = Ingest(tmp_path, (*extra, ("INGEST_USER_ID", USER)))
    (tmp_path / "policy.md").write_text(policy_text())
    [submitted] = ingest("submit", tmp_path / "policy.md", "--json").json
    assert ingest("drain").code == 0
    healthy = ingest("doctor", "--deep", "--json")
    assert healthy.code == 0
    assert {"what is stored", "what Dagster shows"} <= {check["check"] for check in healthy.json}
    with psycopg.connect(database_url) as connection:
        connection.execute("DELETE FROM upload_pipeline.upload_jobs")
    broken = ingest("doctor", "--deep", "--json")
    assert broken.code == 1
    [found] = [check for check in broken.json if not check["ok"]]
    assert (found["code"], found["count"]) == ("document_without_job", 1)
    assert found["document_ids"] == [submitted["document_id"]]
    assert f"`ingest delete {submitted['document_id']}`" in found["hint"]
    assert "policy" not in broken.stdout


def test_a_finished_document_is_made_again_by_its_id(ingest: Ingest, deployment: Deployment, user: UserId) -> None:
    document_id = documents.ingest(deployment, user, policy_text())
    assert ingest("refresh", str(document_id), "--json").json == [{"document_id": str(document_id), "status": "queued"}]
    again = ingest("refresh", str(document_id), "--json")
    assert (again.code, again.error["code"]) == (1, "not_finished")
    assert ingest("refresh", str(document_id), "--estimate", "--json").code == 2


def test_a_login_that_may_not_be_the_worker_is_refused(ingest: Ingest, database_url: str, tmp_path: Path) -> None:
    as_reader = Ingest(tmp_path, (("INGEST_DATABASE_URL", login_url(database_url, "ingest_reader")),))
    ran = as_reader("status", "--json")
    assert ran.code == 1
    assert ran.error["code"] == "role_denied"
    codes = {check["check"]: check["code"] for check in as_reader("doctor", "--json").json}
    assert codes["schema"] == codes["isolation of users"] == "role_denied"


@pytest.mark.parametrize("role", ["ingest_owner", "ingest_worker", "ingest_reader"])
def test_the_url_of_a_role_logs_in_as_it(ingest: Ingest, role: str) -> None:
    url = ingest("database-url", "--role", role, "--json").json["url"]
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT session_user").fetchone() == (role,)


def test_somebody_elses_document_is_answered_like_an_unknown_one(ingest: Ingest, tmp_path: Path) -> None:
    (tmp_path / "policy.md").write_text(policy_text())
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    results = ingest("submit", tmp_path / "policy.md", tmp_path / "broken.pdf", "--json").json
    ingest("drain")
    other = ("--user", str(uuid4()), "--json")
    for result in results:
        for command in ("status", "explain", "retry", "delete"):
            ran = ingest(command, result["document_id"], *other)
            assert (ran.code, ran.error["code"]) == (1, "unknown_document")
    counts = {"documents": 0, "searchable": 0, "dead_letters": 0, "jobs": {}}
    assert ingest("status", *other).json.items() >= counts.items()
    assert ingest("status", "--failed", *other).json == []
    assert ingest("retry", "--dead-letters", *other).json == []
    assert len(ingest("retry", "--dead-letters", "--user", USER, "--json").json) == 1
    assert ingest("search", "windscreen", *other).json == []


ENDLESS = {"worker"}
"""What runs until it is ended, and answers nothing."""


@pytest.mark.parametrize("command", SUMMARIES)
def test_every_command_has_help(ingest: Ingest, command: str) -> None:
    helped = ingest(command, "--help")
    assert helped.code == 0
    assert command in ENDLESS or "--json" in helped.stdout


def test_the_way_without_a_daemon(ingest: Ingest, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for subject in ("Dental", "Optical", "Zebra"):
        (folder / f"{subject}.md").write_text(policy_text(subject))
    assert {result["status"] for result in ingest("submit", folder, "--json").json} == {"queued"}
    counts = {"documents": 3, "searchable": 0, "dead_letters": 0, "jobs": {"queued/queued": 3}}
    assert ingest("status", "--json").json.items() >= counts.items()
    drained = ingest("drain", "--workers", "2", "--json")
    assert drained.json == {"done": 3, "failed": 0, "released": 0, "dead_letters": 0}, drained.stderr
    assert ingest("status", "--json").json["jobs"] == {"embedded/done": 3}
    [best] = ingest("search", "zebra policy", "--limit", "1", "--json").json
    assert best["filename"] == "Zebra.md"
    assert {result["status"] for result in ingest("submit", folder, "--json").json} == {"unchanged"}


def test_an_estimate_names_what_would_be_taken_in_and_takes_nothing_in(ingest: Ingest, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "policy.md").write_text(policy_text())
    (folder / "empty.md").touch()
    estimated = ingest("submit", folder, "--estimate", "--json").json
    assert estimated["documents"] == 1
    assert estimated["tokens"] > 0
    assert estimated["usd"] == 0
    assert ingest("status", "--json").json["documents"] == 0


def test_costs_are_zero_where_nothing_was_paid(ingest: Ingest) -> None:
    assert ingest("costs", "--json").json == {
        "openai": {"calls": 0, "tokens": 0, "usd": 0.0},
        "llamaparse": {"calls": 0, "pages": 0, "credits": 0, "usd": 0.0},
        "llamacloud": {"calls": 0, "pages": 0, "credits": 0, "usd": 0.0},
    }


def test_a_refresh_says_what_it_would_do_and_cost_before_it_queues_anything(ingest: Ingest, tmp_path: Path) -> None:
    (tmp_path / "policy.md").write_text(policy_text())
    [submitted] = ingest("submit", tmp_path / "policy.md", "--json").json
    ingest("drain")
    unchanged = ingest("refresh", "--estimate", "--json").json
    assert (unchanged["documents"], unchanged["tokens"], unchanged["usd"]) == (0, 0, 0)
    smaller = Ingest(ingest.home, (*ingest.extra, ("INGEST_CHUNK_CHARACTERS", "500")))
    estimated = smaller("refresh", "--estimate", "--json").json
    assert {step: estimated[step] for step in ("parse", "chunk", "embed")} == {"parse": 0, "chunk": 1, "embed": 0}
    assert (estimated["documents"], estimated["pages"]) == (1, 0)
    assert estimated["tokens"] > 0
    assert ingest("status", "--json").json["jobs"] == {"embedded/done": 1}
    assert smaller("refresh", "--json").json == [{"document_id": submitted["document_id"], "status": "queued"}]
    assert ingest("status", "--json").json["jobs"] == {"queued/queued": 1}


def test_what_a_searchable_document_lacks_is_said(ingest: Ingest, tmp_path: Path) -> None:
    (tmp_path / "scan.pdf").write_bytes(scanned_pdf("The walrus is covered."))
    [submitted] = ingest("submit", tmp_path / "scan.pdf", "--json").json
    ingest("drain")
    lacking = [{"kind": "pages_without_text", "count": 1}]
    assert ingest("explain", submitted["document_id"], "--json").json["warnings"] == lacking
    assert ingest("status", submitted["document_id"], "--json").json["warnings"] == lacking
    [listed] = ingest("list", "--warnings", "--json").json
    assert (listed["document_id"], listed["filename"], listed["warnings"]) == (
        *(submitted["document_id"], "scan.pdf"),
        lacking,
    )
    assert ingest("list", "--state", "deadletter", "--json").json == []
    assert "1 page holds no text that could be read" in ingest("explain", submitted["document_id"]).stdout
    assert "1 page holds no text that could be read" in ingest("status", submitted["document_id"]).stdout


def test_only_what_lacks_something_is_read_again_once_more_can_be_read(ingest: Ingest, tmp_path: Path) -> None:
    blind = replace(ingest, extra=(*ingest.extra, ("INGEST_OCR_LANGUAGES", "none")))
    (tmp_path / "text.pdf").write_bytes(pdf("The otter is covered."))
    (tmp_path / "scan.pdf").write_bytes((FILES / "02_mixed_scan.pdf").read_bytes())
    blind("submit", tmp_path / "text.pdf", tmp_path / "scan.pdf")
    blind("drain")
    [lacking] = blind("list", "--warnings", "--json").json
    assert lacking["filename"] == "scan.pdf"
    [queued] = ingest("refresh", "--warnings", "--json").json
    assert queued["document_id"] == lacking["document_id"]
    ingest("drain")
    assert ingest("list", "--warnings", "--json").json == []
