"""How `ingest up` looks after its database, with a server that takes as long as the test says."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import cast

from ingest_assets.cli.upkeep import DatabaseKeeper
from ingest_assets.composition import Deployment
from ingest_assets.domain.restarts import RestartPolicy
from ingest_assets_tests.waiting import until

SOON = 0.01


@dataclass
class SlowServer:
    """An embedded server, the settings and the lease of a deployment."""

    embedded: bool = True
    contested: bool = False
    did: list[str] = field(default_factory=list)
    starting: Event = field(default_factory=Event)
    started: Event = field(default_factory=Event)

    def deaths(self) -> list[int]:
        return []

    def revive(self) -> bool:
        self.starting.set()
        self.started.wait()
        self.did.append("revived")
        return False

    def answers(self) -> None:
        pass

    def renew(self, dagster_id: str) -> None:
        assert dagster_id == "here"
        self.did.append("renewed")

    def is_contested(self) -> bool:
        return self.contested

    def end(self) -> None:
        self.did.append("ended")


def keeper_of(server: SlowServer, tell: Callable[[str], None] = lambda _: None) -> DatabaseKeeper:
    parts = ("settings", "embedded_postgres", "diagnosis", "instances")
    deployment = type("Stand-in", (), dict.fromkeys(parts, server))
    return DatabaseKeeper(cast("Deployment", deployment), "here", RestartPolicy(), tell, SOON)


def test_a_database_whose_start_takes_long_is_away() -> None:
    server = SlowServer()
    keeper = keeper_of(server)
    assert server.starting.wait(60)
    until(lambda: keeper.is_away)
    server.started.set()
    until(lambda: not keeper.is_away)
    keeper.end()


def test_a_lease_that_was_ended_is_not_renewed_by_a_round_under_way() -> None:
    server = SlowServer()
    keeper = keeper_of(server)
    assert server.starting.wait(60)
    ending = Thread(target=keeper.end)
    ending.start()
    until(lambda: keeper.is_ending)
    server.started.set()
    ending.join()
    assert server.did == ["revived", "ended"]


def test_another_deployment_of_the_same_name_is_told_of_once() -> None:
    said: list[str] = []
    server = SlowServer(contested=True)
    server.started.set()
    keeper = keeper_of(server, said.append)
    until(lambda: server.did.count("renewed") > 1)
    keeper.end()
    assert [line.split(".")[0] for line in said] == ["Another deployment on this database has the same name"]
