"""What happens to a cluster at work: a host dies, its network or a server goes, a run is stopped, all is renewed."""

import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from celery import Celery

from ingest_assets.orchestration.cluster.broker import broker_errors
from ingest_assets_tests.cluster.programs import Program
from ingest_assets_tests.cluster.servers import Server
from ingest_assets_tests.cluster.site import Site
from ingest_assets_tests.waiting import until

AWAY_SECONDS = 5.0
LEASES_UNPLUGGED = 1.5
"""For how many leases a host has no network: long enough for its documents to go to another one."""
QUEUE = "dagster"
"""Where runs wait in the broker."""
CONSUMER_SECONDS = 2.0
TERMINATE = "mutation T($id: String!) { terminateRun(runId: $id) { __typename } }"


@dataclass(frozen=True, slots=True)
class Struck:
    what: str
    begun: float
    """In seconds since 1970."""
    ended: float
    """When the fault was over; for a kill, when it came."""
    dead_runs: frozenset[str] = frozenset()
    """The runs that nobody executes any more."""
    canceled_runs: frozenset[str] = frozenset()
    down: Program | None = None
    """What stays down until all else has recovered."""
    without_database: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    name: str
    act: Callable[[Site], Struck]


def kill_host(site: Site) -> Struck:
    run, worker = site.run_at_work()
    begun = time.time()
    runs = _runs_of(site, worker.name)
    worker.kill()
    return Struck(worker.host.name, begun, time.time(), runs | {run.run_id}, down=worker)


def cut_power(site: Site) -> Struck:
    """Kill a host whose network has gone, so that nobody hears of its end."""
    run, worker = site.run_at_work()
    begun = time.time()
    runs = _runs_of(site, worker.name)
    worker.host.unplug()
    worker.kill()
    return Struck(worker.host.name, begun, time.time(), runs | {run.run_id}, down=worker)


def unplug_host(site: Site) -> Struck:
    _, worker = site.run_at_work()
    begun = time.time()
    worker.host.unplug()
    time.sleep(LEASES_UNPLUGGED * site.plan.lease_seconds)
    worker.host.plug()
    return Struck(worker.host.name, begun, time.time())


def restart_broker(site: Site) -> Struck:
    return _away(site, site.broker, signal.SIGTERM, site.plan.broker)


def kill_broker(site: Site) -> Struck:
    return _away(site, site.broker, signal.SIGKILL, f"{site.plan.broker}, killed")


def restart_database(site: Site) -> Struck:
    return _away(site, site.database, signal.SIGINT, "fast shutdown", without_database=True)


def take_store_away(site: Site) -> Struck:
    return _away(site, site.store, signal.SIGTERM, "SeaweedFS")


def cancel_run(site: Site) -> Struck:
    run, worker = site.run_at_work()
    begun = time.time()
    answer = site.control.query(TERMINATE, id=run.run_id)["terminateRun"]["__typename"]
    assert answer == "TerminateRunSuccess", answer
    return Struck(f"a run on {worker.host.name}", begun, time.time(), canceled_runs=frozenset({run.run_id}))


def renew_all(site: Site) -> Struck:
    """Stop and start each worker and the control plane, one after the other, as an upgrade does."""
    _, busy = site.run_at_work()
    begun = time.time()
    stopped: list[str] = []
    for program in [busy, *(worker for worker in site.workers if worker is not busy), site.control]:
        at = time.monotonic()
        program.stop()
        stopped.append(f"{program.host.name} in {time.monotonic() - at:.1f} s")
        program.start()
        program.wait()
        site.clients.library.write_new(2)
        site.clients.submit_pending()
    return Struck(f"ended: {', '.join(stopped)}", begun, time.time())


def empty_broker(site: Site) -> Struck:
    """Let the broker lose runs that it was sent and that no worker has taken.

    So that it holds some, the workers consume nothing for a moment, as it happens when their consumers stall.
    """
    until(lambda: not site.live_runs())
    with Celery(broker=site.broker.url) as celery:
        celery.control.cancel_consumer(QUEUE, reply=True, timeout=CONSUMER_SECONDS)
        site.clients.library.write_new(2, "md")
        site.clients.submit_pending()
        runs = until(lambda: frozenset(run.run_id for run in site.live_runs() if run.status == "STARTING"))
        begun = time.time()
        site.broker.stop(signal.SIGKILL)
        shutil.rmtree(site.broker.folder)
        site.broker.start()
        until(lambda: len(_consuming(celery)) == len(site.workers))
    return Struck(f"{site.plan.broker} had {len(runs)} runs", begun, time.time(), runs)


FAULTS = {
    fault.name: fault
    for fault in (
        Fault("kill a worker host", kill_host),
        Fault("a host's link down and up", unplug_host),
        Fault("restart the broker", restart_broker),
        Fault("restart the database", restart_database),
        Fault("the store away and back", take_store_away),
        Fault("cancel a run from the page", cancel_run),
        Fault("rolling upgrade", renew_all),
        Fault("cut a worker host's power", cut_power),
        Fault("kill the broker", kill_broker),
        Fault("the broker comes back empty", empty_broker),
    )
}


def _consuming(celery: Celery) -> list[object]:
    """Let all workers consume again that are there, and return their answers."""
    with suppress(*broker_errors(celery)):
        return list(celery.control.add_consumer(QUEUE, reply=True, timeout=CONSUMER_SECONDS) or ())
    return []


def _away(site: Site, server: Server, number: signal.Signals, what: str, *, without_database: bool = False) -> Struck:
    site.run_at_work()
    begun = time.time()
    server.stop(number)
    time.sleep(AWAY_SECONDS)
    server.start()
    until(server.answers)
    return Struck(what, begun, time.time(), without_database=without_database)


def _runs_of(site: Site, worker: str) -> frozenset[str]:
    return frozenset(run.run_id for run in site.live_runs() if run.worker == worker)
