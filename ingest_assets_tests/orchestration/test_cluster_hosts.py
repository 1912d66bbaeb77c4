"""What the workers are asked, by a real broker."""

from pathlib import Path
from tempfile import TemporaryDirectory

from celery import Celery

from ingest_assets.orchestration.cluster.hosts import Hosts
from ingest_assets_tests.redis_broker import broker, needs_redis
from ingest_assets_tests.waiting import until

pytestmark = needs_redis


def test_a_broker_that_goes_while_it_is_asked_gives_no_answer_and_one_that_comes_back_does() -> None:
    with TemporaryDirectory(prefix="redis-") as short:
        with broker(Path(short)) as url:
            celery = Celery(broker=url)
            assert Hosts(celery).look() == {}
        with broker(Path(short)):
            until(lambda: Hosts(celery).look() == {})
        assert Hosts(celery).look() is None
        celery.close()
