"""Each runbook is followed from its page: its `console` blocks run in a shell, in a deployment with that trouble.

Blocks marked `sh` name other hosts, or run until Ctrl-C: `test_blocks.py` parses them.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres
from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.adapters.postgres.migrations import migrate, migrations
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.orchestration.instance import prepare_instance
from ingest_assets.settings import sibling_database, sqlalchemy_url
from ingest_assets_tests.conftest import TEMPLATE, copy_database, deployment_for, settings_for
from ingest_assets_tests.docs.pages import DOCS, RUNBOOKS, blocks_of, steps_of
from ingest_assets_tests.docs.quick_ingest import write_client
from ingest_assets_tests.docs.shell import Shell, check
from ingest_assets_tests.docs.situations import SITUATIONS, WITH_AN_OLDER_SCHEMA, Trouble

CHECKOUT = Path(__file__).parents[2]
CONSOLE = "console"
SECTIONS = ("What you see", "What it means", "What to do", "How you know it is over")
WITHOUT_SECTIONS = {"index"}


@pytest.fixture(scope="module")
def databases(postgres: EmbeddedPostgres) -> Iterator[Callable[[str], str]]:
    """Makes databases from a template."""
    made: list[sql.Identifier] = []

    def make(template: str) -> str:
        name = f"runbook_{uuid4().hex}"
        made.append(sql.Identifier(name))
        with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
            copy_database(connection, name, template)
        return sibling_database(postgres.url("postgres"), name)

    yield make
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        for name in made:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the command `ingest`."""
    folder = tmp_path_factory.mktemp("programs")
    module = "ingest_assets_tests.docs.quick_ingest"
    command = [sys.executable, "-m", module, str(folder / "socket")]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        write_client(folder, folder / "socket")
        yield folder
        process.terminate()


@pytest.fixture(scope="module")
def dagster_of(databases: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], str]:
    """Gives a page Dagster's database: one for all, as it takes seconds to make, or its own to be compared with."""
    shared = databases("template1")
    with pytest.MonkeyPatch.context() as environment:
        for name in ("DAGSTER_HOME", "INGEST_DAGSTER_DATABASE_URL", "DAGSTER_DISABLE_TELEMETRY"):
            environment.setenv(name, "")  # it sets them for the whole process
        with prepare_instance(tmp_path_factory.mktemp("dagster"), sqlalchemy_url(shared)) as instance:
            instance.get_runs(limit=1)
    compared = [page for page in RUNBOOKS if "doctor --deep\n" in page.read_text()]
    alone = {page: databases(urlsplit(shared).path.lstrip("/")) for page in compared}
    return lambda page: alone.get(page, shared)


@contextmanager
def trouble_of(page: Path, folder: Path, databases: Callable[[str], str], parser: LocalParser) -> Iterator[Trouble]:
    user = UserId(uuid4())
    if page.stem in WITH_AN_OLDER_SCHEMA:
        url = databases("template1")
        migrate(url, [each for each in migrations() if "_post_" not in each.name])
    else:
        url = databases(TEMPLATE)
    with ExitStack() as stack, deployment_for(settings_for(url, folder / "home"), parser) as deployment:
        trouble = Trouble(deployment, folder / "files", user, lambda: databases("template1"), stack)
        trouble.folder.mkdir()
        trouble.placeholders |= {"UUID": str(user), "DIR": str(trouble.folder)}
        if page.stem in SITUATIONS:
            SITUATIONS[page.stem](trouble)
        yield trouble


def environment_of(deployment: Deployment, user: UserId, programs: Path, dagster_url: str) -> dict[str, str]:
    url = deployment.settings.database_url
    assert url is not None
    binaries = [programs, Path(sys.executable).parent]
    return {
        "PATH": os.pathsep.join([*map(str, binaries), os.environ["PATH"]]),
        "LC_ALL": "C.UTF-8",
        "HOME": str(deployment.settings.home_folder),
        "INGEST_HOME": str(deployment.settings.home_folder),
        "INGEST_DATABASE_URL": url.get_secret_value(),
        "INGEST_DAGSTER_DATABASE_URL": dagster_url,
        "INGEST_USER_ID": str(user),
    }


@pytest.mark.parametrize("page", [DOCS / "tutorial.md", *RUNBOOKS], ids=lambda page: page.stem)
def test_what_a_page_says_happens_when_it_is_followed(
    page: Path,
    tmp_path: Path,
    databases: Callable[[str], str],
    parser: LocalParser,
    programs: Path,
    dagster_of: Callable[[Path], str],
) -> None:
    with trouble_of(page, tmp_path, databases, parser) as trouble:
        environment = environment_of(trouble.deployment, trouble.user, programs, dagster_of(page))
        environment |= trouble.environment
        with Shell(environment, trouble.folder) as shell:
            for block in blocks_of(page):
                if block.language != CONSOLE:
                    continue
                trouble.before.pop(block.heading, lambda: None)()
                for step in steps_of(block):
                    step.command = trouble.filled_in(step.command)
                    step.output = [trouble.filled_in(line) for line in step.output]
                    check(step, shell.run(step.command))
        assert not trouble.before, "headings that the page does not have"


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.stem)
def test_a_page_says_what_one_sees_what_it_means_what_to_do_and_when_it_is_over(page: Path) -> None:
    if page.stem not in WITHOUT_SECTIONS:
        headings = [line.removeprefix("## ") for line in page.read_text().splitlines() if line.startswith("## ")]
        assert [heading for heading in headings if heading in SECTIONS] == list(SECTIONS)


def test_every_situation_has_its_page() -> None:
    assert set(SITUATIONS) - {"tutorial"} <= {page.stem for page in RUNBOOKS}
