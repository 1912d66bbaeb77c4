"""What deployments on the same database must know of each other."""

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Protocol

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.pipeline.ports.instances import Instances, Listings
from ingest_assets_tests.contracts.claiming_contract import fill

HERE, THERE = "Dagster here", "Dagster there"


class Named(Protocol):
    def __call__(self, name: str, boot: str = "boot") -> Instances: ...


class InstancesContract:
    """A suite gives the fixture `named`: a deployment's lease by its name and start.

    That of "brief" expires at once. The Dagster of "slow" may take long to store drain runs, and that of others not.
    """

    @pytest.fixture
    def named(self, deployment: Deployment) -> Named:
        raise NotImplementedError

    def test_a_deployment_sees_the_others_at_work_and_whether_they_share_its_dagster(self, named: Named) -> None:
        named("first").renew(HERE)
        named("second").renew(THERE)
        named("third").renew(HERE)
        others = [(other.name, other.shares_dagster) for other in named("first").others()]
        assert others == [("second", False), ("third", True)]

    def test_a_deployment_that_falls_silent_or_ends_is_not_at_work(self, named: Named) -> None:
        for name in ("first", "brief", "second"):
            named(name).renew(HERE)
        named("second").end()
        assert named("first").others() == []

    def test_the_time_since_when_a_deployment_is_at_work_outlives_renewals(self, named: Named) -> None:
        named("second").renew(HERE)
        [before] = named("first").others()
        named("second").renew(THERE)
        [after] = named("first").others()
        assert after.began_at == before.began_at

    def test_all_deployments_together_start_no_more_drain_runs_than_they_may(self, named: Named) -> None:
        names = [f"deployment {number}" for number in range(8)]
        for name in names:
            named(name).renew(HERE)
        with ThreadPoolExecutor(8) as pool:
            allowed = list(pool.map(lambda name: named(name).reserve(2, own=lambda: 0, most=3), names))
        assert sum(allowed) == 3

    def test_drain_runs_that_have_ended_make_room_for_others(self, named: Named) -> None:
        first, second = named("first"), named("second")
        first.renew(HERE)
        second.renew(THERE)
        assert first.reserve(2, own=lambda: 0, most=2) == 2
        assert second.reserve(2, own=lambda: 0, most=2) == 0
        assert first.noted_drain_runs() == 2
        first.reserve(0, own=lambda: 1, most=0)
        assert second.reserve(2, own=lambda: 0, most=2) == 1

    def test_drain_runs_of_a_deployment_that_has_ended_do_not_count(self, named: Named) -> None:
        for name in ("brief", "first"):
            named(name).renew(HERE)
        named("brief").reserve(2, own=lambda: 0, most=2)
        assert named("first").reserve(2, own=lambda: 0, most=2) == 2

    def test_reserved_drain_runs_that_dagster_has_yet_to_store_count(self, named: Named) -> None:
        slow, other = named("slow"), named("other")
        slow.renew(HERE)
        other.renew(THERE)
        assert slow.reserve(2, own=lambda: 0, most=2) == 2
        slow.reserve(0, own=lambda: 0, most=0)
        assert other.reserve(2, own=lambda: 0, most=2) == 0

    def test_drain_runs_are_counted_while_no_other_deployment_counts(self, named: Named) -> None:
        first, second = named("first"), named("second")
        first.renew(HERE)
        second.renew(THERE)
        counted = Event()

        def count_second() -> int:
            counted.set()
            return 0

        with ThreadPoolExecutor(1) as pool:
            waiting: list[Future[int]] = []

            def count_first() -> int:
                waiting.append(pool.submit(second.reserve, 2, own=count_second, most=2))
                assert not counted.wait(0.5)
                return 0

            assert first.reserve(2, own=count_first, most=2) == 2
            assert waiting[0].result() == 0

    def test_two_deployments_of_one_name_are_noticed_while_both_are_at_work(self, named: Named) -> None:
        original, copy = named("same", "one"), named("same", "two")
        original.renew(HERE)
        copy.renew(THERE)
        assert not original.is_contested()
        original.renew(HERE)
        assert (original.is_contested(), copy.is_contested(), named("else").is_contested()) == (True, True, False)

    def test_a_deployment_that_starts_again_after_a_crash_has_its_name_to_itself(self, named: Named) -> None:
        for boot in ("one", "two", "three"):
            named("same", boot).renew(HERE)
            named("same", boot).renew(HERE)
        assert not named("same", "three").is_contested()

    def test_an_end_does_not_end_the_lease_of_a_later_start(self, named: Named) -> None:
        for boot in ("one", "two"):
            named("same", boot).renew(HERE)
        named("same", "one").end()
        assert len(named("else").others()) == 1


class ListingsContract:
    """A suite gives the fixture `listings`: those of its deployment."""

    @pytest.fixture
    def listings(self, deployment: Deployment) -> Listings:
        raise NotImplementedError

    def moved(self, listings: Listings, dagster_id: str) -> list[DocumentId]:
        with listings.moved_away(dagster_id, 9) as document_ids:
            return list(document_ids)

    def test_a_document_that_another_dagster_lists_is_given_to_the_first_once(
        self, listings: Listings, deployment: Deployment, user: UserId
    ) -> None:
        documents = fill(deployment, user, 2)
        listings.move_here(documents, HERE)
        assert self.moved(listings, HERE) == []
        listings.move_here(documents[:1], THERE)
        assert self.moved(listings, THERE) == []
        assert self.moved(listings, HERE) == documents[:1]
        assert self.moved(listings, HERE) == []

    def test_a_document_that_comes_back_before_it_was_unlisted_stays(
        self, listings: Listings, deployment: Deployment, user: UserId
    ) -> None:
        documents = fill(deployment, user, 1)
        for dagster_id in (HERE, THERE, HERE):
            listings.move_here(documents, dagster_id)
        assert self.moved(listings, HERE) == []
        assert self.moved(listings, THERE) == documents
