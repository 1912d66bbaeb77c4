"""The dashboards at /ops of a running service, and who may see them."""

from base64 import b64encode
from pathlib import Path

import httpx
import psycopg
import pytest

from ingest_assets.cli.commands.serve import compose_service
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.http.login import Login
from ingest_assets_tests.documents import ingest, policy_text, submit
from ingest_assets_tests.http.api import Api, assert_problem, serving
from ingest_assets_tests.http.process import serve

PASSWORD = "correct horse"  # noqa: S105


def basic(password: str, name: str = "dana") -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"}


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    return file


def test_who_has_the_password_sees_the_three_dashboards_and_nobodys_name(
    deployment: Deployment, user: UserId, password_file: Path
) -> None:
    document_id = ingest(deployment, user, policy_text("Zebra"), "zebra.md")
    submit(deployment, user, b"%PDF-1.4 truncated", "walrus.pdf")
    with serving(deployment, user, dashboards_login=Login(password_file)) as api:
        answer = api.plainly("GET", "/ops", headers=basic(PASSWORD))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert policy.endswith("; frame-ancestors 'none'")
    for title in ("Operations", "Business", "Debugging"):
        assert f">{title}</h2>" in answer.text
    for secret in (str(user), str(document_id), "zebra", "walrus"):
        assert secret not in answer.text.lower()


def test_without_the_password_nobody_sees_them(deployment: Deployment, user: UserId, password_file: Path) -> None:
    with serving(deployment, user, dashboards_login=Login(password_file)) as api:
        for headers in ({}, basic("wrong"), basic(""), {"Authorization": "Basic %"}, {"Authorization": PASSWORD}):
            refused = api.plainly("GET", "/ops", headers=headers)
            assert_problem(refused, 401, "dashboards_refused")
            assert refused.headers["www-authenticate"] == 'Basic realm="ingest-assets", charset="UTF-8"'
            assert refused.headers["cache-control"] == "no-store"
        assert_problem(api("GET", "/ops"), 401, "dashboards_refused")  # a user's token is no password


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_without_a_password_that_somebody_has_set_nobody_sees_them(
    deployment: Deployment, user: UserId, tmp_path: Path, content: str | None
) -> None:
    file = None
    if content is not None:
        file = tmp_path / "empty"
        file.write_text(content)
    with serving(deployment, user, dashboards_login=Login(file)) as api:
        for headers in ({}, basic(""), basic(PASSWORD)):
            assert_problem(api.plainly("GET", "/ops", headers=headers), 403, "dashboards_closed")


def test_a_new_password_counts_at_once(deployment: Deployment, user: UserId, password_file: Path) -> None:
    with serving(deployment, user, dashboards_login=Login(password_file)) as api:
        password_file.write_text("another one")
        assert api.plainly("GET", "/ops", headers=basic(PASSWORD)).status_code == 401
        assert api.plainly("GET", "/ops", headers=basic("another one")).status_code == 200


def test_by_default_they_are_closed(api: Api, deployment: Deployment) -> None:
    assert compose_service(deployment).dashboards_login.file is None
    assert_problem(api.plainly("GET", "/ops", headers=basic("")), 403, "dashboards_closed")


def test_a_database_that_is_away_is_a_passing_problem(
    deployment: Deployment, user: UserId, password_file: Path, database_url: str
) -> None:
    with serving(deployment, user, dashboards_login=Login(password_file)) as api:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("ALTER SCHEMA upload_pipeline RENAME TO away")
        assert_problem(api.plainly("GET", "/ops", headers=basic(PASSWORD)), 503, "schema_outdated")


def test_the_command_reads_the_setting(database_url: str, password_file: Path, tmp_path: Path) -> None:
    with serve(database_url, tmp_path, INGEST_OPS_PASSWORD_FILE=str(password_file)) as served:
        answer = httpx.get(f"{served.url}/ops", headers=basic(PASSWORD), timeout=60, trust_env=False)
        assert answer.status_code == 200
        assert "Promise kept (SLA)" in answer.text
