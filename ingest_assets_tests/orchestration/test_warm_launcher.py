"""The warm launcher, with real processes: what it runs, what it ends, and what happens where one dies."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dagster as dg
import pytest
from dagster._daemon.monitoring.run_monitoring import execute_run_monitoring_iteration
from dagster._serdes import serialize_value

from ingest_assets.orchestration.warm_launcher.requests import Request, ask
from ingest_assets.orchestration.warm_launcher.sockets import connect
from ingest_assets_tests.orchestration.warm import Deployment, deployment
from ingest_assets_tests.waiting import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the warm launcher is for Linux")

SUCCESS, FAILURE = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployment(tmp_path_factory.mktemp("runs")) as made:
        yield made


@pytest.fixture
def server(deployed: Deployment) -> Iterator[subprocess.Popen[bytes]]:
    with deployed.server() as process:
        yield process


def is_alive(process: int) -> bool:
    """A zombie is."""
    return Path(f"/proc/{process}").exists()


def children_of(process: int) -> list[str]:
    return Path(f"/proc/{process}/task/{process}/children").read_text().split()


def launch_of(deployed: Deployment, run_id: str) -> Request:
    return Request("launch", run_id, serialize_value(deployed.instance.get_ref()))


def monitor(deployed: Deployment) -> None:
    list(execute_run_monitoring_iteration(deployed.workspace, logging.getLogger("test")))


def story(deployed: Deployment, run_id: str) -> list[tuple[str, str | None]]:
    return [(event.event_type_value, event.step_key) for event in deployed.events(run_id)]


@pytest.mark.parametrize("job", ["succeeding", "failing"])
def test_a_run_leaves_the_same_events_as_with_the_default_launcher(deployed: Deployment, job: str) -> None:
    with deployed.server():
        warm = deployed.launch(job)
        ended_warm = deployed.end(warm)
    default = deployed.launch(job)
    assert deployed.end(default) is ended_warm is (SUCCESS if job == "succeeding" else FAILURE)
    assert deployed.launched_warm(warm)
    assert not deployed.launched_warm(default)
    exited = "Process for run exited"
    until(lambda: exited in str(deployed.events(warm)[-1]) and exited in str(deployed.events(default)[-1]))
    assert story(deployed, warm) == story(deployed, default)


def test_a_run_is_a_process_of_its_own(deployed: Deployment, server: subprocess.Popen[bytes]) -> None:
    run_id = deployed.launch("succeeding")
    assert deployed.end(run_id) is SUCCESS
    [made] = [event for event in deployed.events(run_id) if event.is_step_materialization]
    process = made.step_materialization_data.materialization.metadata["process"].value
    assert process == deployed.process_of(run_id)
    assert process not in (server.pid, os.getpid())


def test_runs_launched_at_once_all_end_and_leave_no_process(
    deployed: Deployment, server: subprocess.Popen[bytes]
) -> None:
    run_ids = [deployed.create("succeeding") for _ in range(6)]
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda run_id: ask(deployed.socket, launch_of(deployed, run_id)), run_ids))
    assert {deployed.end(run_id) for run_id in run_ids} == {SUCCESS}
    assert len({deployed.process_of(run_id) for run_id in run_ids}) == 6
    until(lambda: children_of(server.pid) == [])


def test_asking_for_a_run_twice_starts_it_once(deployed: Deployment, server: subprocess.Popen[bytes]) -> None:
    run_id = deployed.start("waiting")
    assert ask(deployed.socket, launch_of(deployed, run_id))
    assert children_of(server.pid) == [str(deployed.process_of(run_id))]


def test_a_terminated_run_is_interrupted_and_canceled(deployed: Deployment, server: subprocess.Popen[bytes]) -> None:
    run_id = deployed.start("waiting")
    assert deployed.instance.run_launcher.terminate(run_id)
    assert deployed.end(run_id) is dg.DagsterRunStatus.CANCELED
    assert deployed.left(run_id, "interrupted")
    assert not deployed.instance.run_launcher.terminate(run_id)


def test_a_run_of_the_default_launcher_is_terminated_by_it(deployed: Deployment) -> None:
    run_id = deployed.start("waiting")
    with deployed.server():
        assert not deployed.launched_warm(run_id)
        assert deployed.instance.run_launcher.terminate(run_id)
        assert deployed.end(run_id) is dg.DagsterRunStatus.CANCELED


def test_a_run_whose_process_is_killed_fails_without_anybody_looking(
    deployed: Deployment, server: subprocess.Popen[bytes]
) -> None:
    run_id = deployed.start("waiting")
    os.kill(deployed.process_of(run_id), signal.SIGKILL)
    assert deployed.end(run_id) is FAILURE
    assert "SIGKILL" in str(deployed.events(run_id))
    until(lambda: children_of(server.pid) == [])


def test_a_killed_server_takes_its_runs_along_and_the_next_ones_are_launched_without_it(deployed: Deployment) -> None:
    with deployed.server() as server:
        run_id = deployed.start("waiting")
        process = deployed.process_of(run_id)
        server.kill()
        assert deployed.end(run_id) is FAILURE
        assert deployed.left(run_id, "interrupted")
        until(lambda: not is_alive(process))
        following = deployed.launch("succeeding")
        assert not deployed.launched_warm(following)
        assert deployed.end(following) is SUCCESS


def test_another_server_takes_the_place_of_a_killed_one(deployed: Deployment) -> None:
    with deployed.server() as server:
        server.kill()
        server.wait()
        with deployed.server():
            run_id = deployed.launch("succeeding")
            assert deployed.launched_warm(run_id)
            assert deployed.end(run_id) is SUCCESS


def test_run_monitoring_fails_a_run_whose_process_and_server_were_killed(deployed: Deployment) -> None:
    with deployed.server() as server:
        run_id = deployed.start("waiting")
        process = deployed.process_of(run_id)
        monitor(deployed)
        assert deployed.status(run_id) is dg.DagsterRunStatus.STARTED
        os.kill(server.pid, signal.SIGSTOP)
        os.kill(process, signal.SIGKILL)
        server.kill()
        server.wait()
    monitor(deployed)
    assert deployed.status(run_id) is FAILURE


def test_a_run_that_lost_its_process_is_not_canceled_but_failed(deployed: Deployment) -> None:
    with deployed.server() as server:
        run_id = deployed.start("waiting")
        os.kill(server.pid, signal.SIGSTOP)
        os.kill(deployed.process_of(run_id), signal.SIGKILL)
        server.kill()
        server.wait()
    assert not deployed.instance.run_launcher.terminate(run_id)
    monitor(deployed)
    assert deployed.status(run_id) is FAILURE


def test_a_server_that_is_told_to_stop_interrupts_its_runs_and_leaves_nothing(deployed: Deployment) -> None:
    with deployed.server() as server:
        run_id = deployed.start("waiting")
        process = deployed.process_of(run_id)
    assert server.returncode == 0
    assert deployed.status(run_id) is FAILURE
    assert deployed.left(run_id, "interrupted")
    assert not is_alive(process)
    assert not deployed.socket.parent.exists()


def test_a_run_that_does_not_heed_the_servers_stop_is_killed_and_fails(deployed: Deployment) -> None:
    with deployed.server() as server:
        run_id = deployed.start("persisting")
        process = deployed.process_of(run_id)
        server.send_signal(signal.SIGTERM)
        until(lambda: deployed.left(run_id, "interrupted"))
        assert not deployed.launched_warm(deployed.launch("succeeding"))
    assert not is_alive(process)
    assert deployed.status(run_id) is FAILURE


def test_run_monitoring_fails_a_run_whose_code_server_has_died(deployed: Deployment, tmp_path: Path) -> None:
    with deployment(tmp_path) as other:
        run_id = other.start("waiting")
        monitor(other)
        assert other.status(run_id) is dg.DagsterRunStatus.STARTED
        process = other.process_of(run_id)
        os.kill(int(Path(f"/proc/{process}/status").read_text().split("PPid:")[1].split()[0]), signal.SIGKILL)
        monitor(other)
        assert other.status(run_id) is FAILURE
        os.kill(process, signal.SIGKILL)


def test_a_request_that_is_none_does_no_harm(deployed: Deployment, server: subprocess.Popen[bytes]) -> None:
    for message in (b"", b"what?", b"[]", b'{"verb": "launch"}', bytes(1 << 16)):
        with connect(deployed.socket) as connection:
            connection.send(message)
    with connect(deployed.socket):
        pass
    assert deployed.answers()


def test_a_second_server_does_not_start(deployed: Deployment, server: subprocess.Popen[bytes]) -> None:
    with deployed.server() as second:
        assert second.wait() != 0
    assert deployed.answers()
