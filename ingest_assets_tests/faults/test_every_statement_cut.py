"""Every statement that commands and workers really send is cut, and the rows at the end of the story are the same.

The statements are not listed here: an uncut run of each story records them. Then the connection breaks at each of them
in turn, before the server has seen it or after it has done it, and the one who sent it is dead or goes on; or others do
their work while it stands still there.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import permutations
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres
from ingest_assets.adapters.object_stores import local_files
from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.sessions import SessionLimits
from ingest_assets.composition import Deployment
from ingest_assets.domain.errors import IngestError
from ingest_assets.pipeline import drain_worker, outages
from ingest_assets.posix import files
from ingest_assets_tests.conftest import TEMPLATE, _database, deployment_for, settings_for
from ingest_assets_tests.faults.cut_statements import Scissors, Side, cut_statements
from ingest_assets_tests.faults.stories import ASSETS, STORIES, Scene, Story, partition_run
from ingest_assets_tests.faults.user_rows import Connection, Rows, rows_of

IMPATIENT = SessionLimits(timedelta(minutes=1), timedelta(milliseconds=150), timedelta(seconds=10))
"""What the others wait for: they must not wait for somebody who stands still until they are done."""


IN_TRANSACTION = """SELECT FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
    AND state <> 'idle'"""


@dataclass
class Theatre:
    """One database in which all stories are told, each by a user of its own."""

    cut: Deployment
    sure: Deployment
    admin: Connection
    scissors: Scissors
    expected: dict[str, list[Rows]] = field(default_factory=dict)
    """The rows that a story may leave."""
    wrong: Counter[str] = field(default_factory=Counter)
    sent: dict[str, list[str]] = field(default_factory=dict)
    """The statements that a story sends."""

    def scene(self, story: Story) -> Scene:
        scene = Scene(self.cut, self.sure, self.admin)
        story.begin(scene)
        return scene

    def rows(self, scene: Scene, story: Story) -> Rows:
        scene.work_off()
        objects = self.sure.settings.objects_folder
        return rows_of(self.admin, scene.user, objects, with_events=story.is_repeated)

    def new_findings(self) -> dict[str, int]:
        """Return what has come to be wrong since this was last called."""
        now = Counter({finding.kind: finding.count for finding in self.sure.integrity.inspections[0].inspect()})
        new, self.wrong = now - self.wrong, now
        return dict(new)

    def recorded(self, name: str) -> "Theatre":
        if name not in self.sent:
            self.record(name)
        return self

    def record(self, name: str) -> None:
        """Tell a story without harm, and also, if workers see to the rest, as if nobody had begun it."""
        story = STORIES[name]
        scene = self.scene(story)
        self.scissors.begin()
        story.act(scene, self.cut)
        self.scissors.end()
        self.sent[name] = self.scissors.names
        self.expected[name] = [self.rows(scene, story)]
        if story.may_end_as is not None:
            self.expected[name] += self.recorded(story.may_end_as).expected[story.may_end_as]
        if not story.is_repeated:
            self.expected[name].append(self.rows(self.scene(story), story))

    def tell(self, name: str, at: int, side: Side, *, stays_dead: bool = False) -> Rows:
        """Tell a story in which one statement is cut, and return the rows at its end."""
        story = STORIES[name]
        scene = self.scene(story)

        def others() -> None:
            try:
                if story.is_repeated:
                    story.act(scene, self.sure)
                else:
                    scene.work_off()
            except Exception:  # noqa: S110  whoever meets a lock gives up, in whatever way
                pass

        self.scissors.meanwhile = others
        self.scissors.begin(at, side, stays_dead=stays_dead)
        try:
            story.act(scene, self.cut)
        except IngestError:
            pass  # what it says does not matter here
        finally:
            self.scissors.end()
        while self.admin.execute(IN_TRANSACTION).fetchall():  # the server has yet to notice that a client is gone
            time.sleep(0.002)
        if story.is_repeated:
            story.act(scene, self.sure)
        return self.rows(scene, story)


@contextmanager
def administrator(url: str) -> Iterator[Connection]:
    """Yield a connection that may do anything, to a database that does not wait for the disk."""
    with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(name))
        connection.execute("SET lock_timeout = '150ms'")
        yield connection


@contextmanager
def no_waiting() -> Iterator[None]:
    """Let nobody wait for the disk, nor for long for a connection to come back, or for a worker that is gone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local_files, "write_through", lambda _: None)
        patch.setattr(files, "write_through", lambda _: None)
        patch.setattr(outages, "PATIENCE", timedelta(milliseconds=100))
        patch.setattr(outages, "PAUSE_SECONDS", 0.01)
        patch.setattr(drain_worker, "OUTAGE_SECONDS", 0.01)
        patch.setattr(drain_worker, "POLL_SECONDS", 0.02)
        yield


@pytest.fixture(scope="module")
def theatre(
    postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory, parser: LocalParser
) -> Iterator[Theatre]:
    home: Path = tmp_path_factory.mktemp("stories")
    with ExitStack() as stack:
        stack.enter_context(no_waiting())
        for url in _database(postgres, TEMPLATE):
            cut_url, scissors = stack.enter_context(cut_statements(url))
            cut = stack.enter_context(deployment_for(settings_for(cut_url, home), parser))
            database = Database(url, limits=IMPATIENT)
            stack.callback(database.close)
            sure = stack.enter_context(deployment_for(settings_for(url, home), parser)).replacing(database=database)
            admin = stack.enter_context(administrator(url))
            yield Theatre(cut, sure, admin, scissors)
            stack.close()


@pytest.fixture
def recorded(theatre: Theatre, name: str) -> Theatre:
    recorded = theatre.recorded(name)
    assert recorded.sent[name], "nothing would be cut"
    return recorded


VARIES = {"a drain run"}
"""How many statements these send depends on the time."""

PAYS = {"a paid call", "a reservation"}

WAYS = {
    "cut before": (Side.BEFORE, True),
    "answer lost": (Side.AFTER, True),
    "cut before, and goes on": (Side.BEFORE, False),
    "answer lost, and goes on": (Side.AFTER, False),
    "others at work": (Side.PAUSED, False),
}
CASES = [(name, way) for name, story in STORIES.items() for way in WAYS if story.goes_on or not way.endswith("goes on")]


@pytest.mark.parametrize(("name", "way"), CASES, ids=[f"{name} - {way}" for name, way in CASES])
def test_a_story_ends_with_the_same_rows_wherever_it_is_cut(recorded: Theatre, name: str, way: str) -> None:
    side, stays_dead = WAYS[way]
    differing: dict[str, object] = {}
    for at, statement in places(recorded.sent[name], side):
        rows = recorded.tell(name, at, side, stays_dead=stays_dead)
        if rows not in recorded.expected[name]:
            differing[f"{at} {statement}"] = difference(rows, recorded.expected[name][0])
        elif not recorded.scissors.has_cut and name not in VARIES:
            differing[f"{at} {statement}"] = "it was not sent again"
    assert differing == {}
    assert recorded.new_findings() == {}


def places(sent: Sequence[str], side: Side) -> Iterator[tuple[int, str]]:
    """Yield where to cut. Before a later statement of a transaction is the same as after the one before it."""
    is_inside = False
    for at, statement in enumerate(sent, 1):
        if side is not Side.BEFORE or not is_inside or statement == "COMMIT":
            yield at, statement
        is_inside = statement != "COMMIT" and (is_inside or statement == "BEGIN")


def difference(rows: Rows, expected: Rows) -> dict[str, object]:
    """Return the tables that differ, for a failed assertion."""
    return {table: (rows[table], expected[table]) for table in rows if rows[table] != expected[table]}


@pytest.mark.parametrize("name", STORIES)
def test_a_story_that_is_told_twice_ends_with_the_same_rows(recorded: Theatre, name: str) -> None:
    story = STORIES[name]
    if name in PAYS:
        pytest.skip("two calls cost twice as much")
    scene = recorded.scene(story)
    story.act(scene, recorded.sure)
    with suppress(IngestError):
        (story.again or story.act)(scene, recorded.sure)
    rows = recorded.rows(scene, story)
    assert rows in recorded.expected[name], difference(rows, recorded.expected[name][0])
    assert recorded.new_findings() == {}


def test_steps_in_any_order_end_with_the_same_rows(theatre: Theatre) -> None:
    """As runs of single assets, which people may start in any order, also of a document that is finished."""
    drained = theatre.recorded("a quick attempt").expected["a quick attempt"][0]
    runs = theatre.recorded("a partition run of a finished document").expected["a partition run of a finished document"]
    for order in permutations(ASSETS):
        scene = Scene(theatre.cut, theatre.sure, theatre.admin)
        document_id = scene.submit()
        for asset in (*order, *order):
            with suppress(IngestError):
                partition_run(theatre.sure, document_id, asset, claim=f"run of {asset}")
                theatre.sure.claims.release(f"run of {asset}")
        assert theatre.rows(scene, STORIES["a quick attempt"]) in (drained, *runs), order
    assert theatre.new_findings() == {}
