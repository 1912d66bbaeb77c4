"""What this project uses and replaces in Dagster: in one room, on purpose only, and as the pinned version has it."""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

import ingest_assets
from ingest_assets.orchestration.dagster_internals.event_batches import log_as_one_batch
from ingest_assets.orchestration.dagster_internals.run_workers import explain_crash, instance_of, reference_to
from ingest_assets.orchestration.dagster_internals.tables import delete_check_results, delete_partitions

PACKAGE = Path(ingest_assets.__file__).parent
ROOM = PACKAGE / "orchestration" / "dagster_internals"
PRIVATE = ("dagster._", "dagster_shared")

STATE = """
import importlib, logging, pkgutil, sys, threading, warnings
import dagster, dagster_postgres, numpy
from dagster_shared.error import SerializableErrorInfo

def state():
    return {
        "what Dagster keeps of errors": SerializableErrorInfo.from_traceback.__qualname__,
        "log records": logging.getLogRecordFactory(),
        "the interpreter's hooks": (sys.excepthook, sys.unraisablehook, threading.excepthook),
        "warnings": (warnings.showwarning, tuple(warnings.filters)),
    }

def changed(before):
    print(*sorted(name for name, value in state().items() if value != before[name]), sep="\\n")

before = state()
"""
EVERYTHING = ["log records", "the interpreter's hooks", "warnings", "what Dagster keeps of errors"]
IMPORT_ALL = """
import ingest_assets.orchestration as orchestration
for module in pkgutil.walk_packages(orchestration.__path__, orchestration.__name__ + "."):
    importlib.import_module(module.name)
"""
INSTALLED_BY = {
    "install": "from ingest_assets.orchestration.dagster_internals import install; install()",
    "the definitions": "import ingest_assets.definitions",
    "the launcher": "from ingest_assets.orchestration.warm_launcher import WarmRunLauncher; WarmRunLauncher()",
    "the storage": """
from ingest_assets.orchestration.storage import KeptConnections
try: KeptConnections('postgresql+psycopg2://nobody@127.0.0.1:1/nothing')
except Exception: pass""",
    "the warm server": """
from ingest_assets.orchestration.warm_launcher import __main__ as server
sys.argv = []
try: server.main()
except ValueError: pass""",
    "the command line": """
from pathlib import Path
from typing import Any
from ingest_assets.orchestration.instance import prepare_instance
try: prepare_instance(Path(sys.argv[1]), 'postgresql+psycopg2://nobody@127.0.0.1:1/nothing')
except Exception: pass""",
}


def told_by(program: str, *arguments: str, options: tuple[str, ...] = ()) -> list[str]:
    """What a fresh process prints, line by line."""
    command = [sys.executable, *options, "-c", program, *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


def private_names(source: Path) -> Iterator[str]:
    """Private modules of Dagster's that are imported, or named for somebody else to import."""
    for node in ast.walk(ast.parse(source.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names = [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names = [node.value]
        yield from (name for name in names if name.startswith(PRIVATE))


def test_dagsters_private_modules_are_imported_in_one_room() -> None:
    outside = [path for path in PACKAGE.rglob("*.py") if ROOM not in path.parents]
    assert {str(path): names for path in outside if (names := set(private_names(path)))} == {}
    assert any(set(private_names(path)) for path in ROOM.glob("*.py"))


def test_dagsters_private_attributes_are_used_in_one_room() -> None:
    outside = [path for path in (PACKAGE / "orchestration").rglob("*.py") if ROOM not in path.parents]
    assert [str(path) for path in outside if "SLF001" in path.read_text()] == []


def test_what_is_relied_on_is_the_pinned_version() -> None:
    assert version("dagster") == "1.13.27"
    assert version("dagster-postgres") == "0.29.27"
    assert version("dagster-celery") == "0.29.27"


def test_importing_all_of_orchestration_changes_nothing() -> None:
    assert told_by(f"{STATE}{IMPORT_ALL}changed(before)") == [""]


@pytest.mark.parametrize("by", INSTALLED_BY)
def test_whatever_a_process_of_dagsters_begins_with_installs_the_changes(by: str, tmp_path: Path) -> None:
    assert told_by(f"{STATE}{INSTALLED_BY[by]}\nchanged(before)", str(tmp_path)) == EVERYTHING


def test_installing_twice_is_installing_once() -> None:
    twice = f"{INSTALLED_BY['install']}\nbefore = state()\ninstall()\nchanged(before)"
    assert told_by(f"{STATE}{twice}") == [""]


ERRORS = """
import traceback
import dagster as dg
from dagster._core.errors import DagsterUserCodeUnreachableError as Telling
from dagster_shared.error import SerializableErrorInfo
from ingest_assets.orchestration.dagster_internals import install

def told(kind, cause):
    def fail():
        try:
            raise cause("a cause")
        except cause as error:
            raise kind("a failure") from error
    try:
        fail()
    except kind as error:
        return SerializableErrorInfo.from_traceback(traceback.TracebackException.from_exception(error))

cases = [(Telling, Telling), (Telling, ValueError), (ValueError, Telling)]
original = [told(*case) for case in cases]
install()
replaced = [told(*case) for case in cases]
"""


def test_of_errors_that_may_be_told_dagster_keeps_what_it_would_keep_by_itself() -> None:
    assert told_by(f"{ERRORS}print(replaced[0] == original[0] != None)") == ["True"]


def test_of_a_failure_dagster_keeps_what_it_says_and_no_traceback() -> None:
    told = "failure = told(dg.Failure, ValueError)\nprint(failure.message.strip(), failure.stack, failure.cause)"
    assert told_by(f"{ERRORS}{told}") == ["a failure [] None"]


def test_of_other_errors_only_the_messages_differ_from_what_dagster_would_keep() -> None:
    compare = """
def without_messages(info):
    return info and (info.stack, info.cls_name, without_messages(info.cause), without_messages(info.context))
for mine, dagsters in zip(replaced, original):
    print(without_messages(mine) == without_messages(dagsters))
print(any("a failure" in str(dagsters) for dagsters in original))
print(replaced[1].cause.message, replaced[2].message, sep="", end="")
"""
    withheld = "builtins.ValueError (its message is withheld)"
    assert told_by(f"{ERRORS}{compare}") == ["True", "True", "True", "True", withheld, withheld]


def calls(name: str, *packages: str) -> Mapping[str, int]:
    """How often each file of these packages calls it, but for tests."""
    found: Counter[str] = Counter()
    for package in packages:
        spec = find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        folder = Path(spec.origin).parent
        for path in folder.rglob("*.py"):
            text = path.read_text("utf-8")
            found[str(path.relative_to(folder.parent))] = text.count(f" {name}(") - text.count(f"class {name}(")
    return {path: count for path, count in found.items() if count and "/test/" not in path}


def test_dagster_makes_what_it_keeps_of_exceptions_in_no_other_way() -> None:
    """Those that it makes directly hold sentences of its own, or what a process of the user's has sent."""
    assert calls("SerializableErrorInfo", "dagster", "dagster_shared", "dagster_postgres") == {
        "dagster/_core/execution/plan/execute_plan.py": 2,
        "dagster/_core/executor/step_delegating/step_delegating_executor.py": 1,
        "dagster/_core/pipes/context.py": 1,
        "dagster/_utils/error.py": 4,
        "dagster_shared/error.py": 1,
    }


SENSOR = """
import dagster as dg
@dg.op
def step(pipeline: dg.ResourceParam[str]): ...
@dg.job
def work(): step()
@dg.sensor(job=work)
def look(): ...
dg.Definitions(jobs=[work], sensors=[look], resources={"pipeline": "any"}).get_repository_def()
"""


def test_dagster_still_warns_of_its_own_default_and_is_not_heard() -> None:
    ran = [
        subprocess.run(
            [sys.executable, "-W", "always", "-c", f"{before}\n{SENSOR}"], capture_output=True, text=True, check=True
        ).stderr
        for before in ("", INSTALLED_BY["install"])
    ]
    assert "Parameter `owners` of initializer" in ran[0]
    assert ran[1] == ""


@dg.op
def report_in_one_batch(context: dg.OpExecutionContext) -> None:
    for asset in ("one", "two"):
        log_as_one_batch(context, [dg.AssetMaterialization(asset, partition=str(n)) for n in range(5)], most=500)


@dg.op
def report_one_by_one(context: dg.OpExecutionContext) -> None:
    for asset in ("one", "two"):
        for n in range(5):
            context.log_event(dg.AssetMaterialization(asset, partition=str(n)))


def materialized(op: dg.OpDefinition, monkeypatch: pytest.MonkeyPatch) -> tuple[list[tuple[str, str | None]], int]:
    """What is stored of a run of this op, and in how many batches it was."""
    job = dg.GraphDefinition("reporting", node_defs=[op]).to_job()
    with dg.instance_for_test() as instance, monkeypatch.context() as patched:
        writes = 0
        store = instance.event_log_storage.store_event_batch

        def counted(events: Any) -> None:
            nonlocal writes
            writes += 1
            store(events)

        patched.setattr(instance.event_log_storage, "store_event_batch", counted)
        patched.setenv("DAGSTER_EVENT_BATCH_SIZE", "0")
        assert job.execute_in_process(instance=instance).success
        found = [
            record.asset_materialization
            for asset in ("one", "two")
            for record in instance.fetch_materializations(dg.AssetKey(asset), limit=10, ascending=True).records
        ]
        keys = [(each.asset_key.to_user_string(), each.partition) for each in found if each is not None]
        for asset in ("one", "two"):
            assert instance.get_materialized_partitions(dg.AssetKey(asset)) == {str(n) for n in range(5)}
        return keys, writes


def test_a_batch_leaves_what_single_events_leave_in_one_write_an_asset(monkeypatch: pytest.MonkeyPatch) -> None:
    batched, writes = materialized(report_in_one_batch, monkeypatch)
    single, _ = materialized(report_one_by_one, monkeypatch)
    assert batched == single
    assert len(batched) == 10
    assert writes == 2


@dg.op
def report_thirty(context: dg.OpExecutionContext) -> None:
    log_as_one_batch(context, [dg.AssetMaterialization("one", partition=str(n)) for n in range(30)], most=500)


def test_each_materialization_of_a_batch_has_a_millisecond_of_its_own() -> None:
    job = dg.GraphDefinition("reporting", node_defs=[report_thirty]).to_job()
    with dg.instance_for_test() as instance:
        assert job.execute_in_process(instance=instance).success
        found = instance.fetch_materializations(dg.AssetKey("one"), limit=30, ascending=True).records
    times = [int(record.timestamp * 1000) for record in found]
    assert len(times) == 30
    assert times == sorted(set(times))


def test_deleted_partitions_are_as_dagster_leaves_them() -> None:
    left = []
    for in_one_statement in (True, False):
        with dg.instance_for_test() as instance:
            for definition in ("documents", "others"):
                instance.add_dynamic_partitions(definition, ["a", "b", "c"])
            if in_one_statement:
                delete_partitions(instance, "documents", ["a", "c", "unknown"])
            else:
                for key in ("a", "c"):
                    instance.delete_dynamic_partition("documents", key)
            left.append([instance.get_dynamic_partitions(name) for name in ("documents", "others")])
    assert left == [[["b"], ["a", "b", "c"]]] * 2


@dg.asset
def checked() -> None: ...


@dg.asset_check(asset=checked)
def looks_right() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


def test_results_of_checks_are_deleted_by_run() -> None:
    [key] = looks_right.check_keys
    with dg.instance_for_test() as instance:
        runs = [dg.materialize([checked, looks_right], instance=instance).run_id for _ in range(2)]

        def latest() -> str | None:
            found = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])
            return found[key].run_id if key in found else None

        assert latest() == runs[1]
        delete_check_results(instance, runs[1], [key])
        assert latest() == runs[0]
        delete_check_results(instance, runs[0], [key])
        assert latest() is None


def test_a_reference_to_an_instance_leads_to_it() -> None:
    with dg.instance_for_test() as instance:
        instance.add_dynamic_partitions("documents", ["a"])
        with instance_of(reference_to(instance)) as same:
            assert same.get_dynamic_partitions("documents") == ["a"]


def test_dagster_explains_a_killed_worker() -> None:
    explained = explain_crash("a run", -9)
    assert "Run execution process for a run" in explained
    assert "SIGKILL" in explained


DAEMON = """
import sys
import dagster._daemon.cli
from dagster._daemon import sensor
print(sensor.MIN_INTERVAL_LOOP_TIME)
from ingest_assets.orchestration.dagster_internals import install
install()
print(sensor.MIN_INTERVAL_LOOP_TIME)
print("MIN_INTERVAL_LOOP_TIME" in sensor.execute_sensor_iteration_loop.__code__.co_names)
"""


def test_the_daemon_looks_at_the_sensors_every_second_instead_of_every_five() -> None:
    ran = subprocess.run([sys.executable, "-c", DAEMON], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.split() == ["5", "1", "True"]


CODE_SERVERS = """
import dagster._daemon.cli
import dagster as dg
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget
from dagster._daemon.controller import DagsterDaemonController, create_daemon_grpc_server_registry
from dagster._time import get_current_timestamp
from ingest_assets.orchestration.dagster_internals import install
install()
install()

def server(registry):
    [entry] = registry._active_entries.values()
    return entry.process.server_process

with dg.instance_for_test() as instance, create_daemon_grpc_server_registry(instance) as registry:
    target = ModuleTarget("ingest_assets_tests.orchestration.empty_definitions", None, None, "empty")
    with WorkspaceProcessContext(instance, target, grpc_server_registry=registry) as workspace:
        controller = object.__new__(DagsterDaemonController)
        vars(controller).update(_grpc_server_registry=registry, _workspace_process_context=workspace)
        first, now = server(registry), get_current_timestamp()
        print(controller.check_workspace_freshness(now) == now, server(registry) is first)
        first.kill()
        first.wait()
        print(controller.check_workspace_freshness(now - 11) > now, server(registry).poll() is None)
"""


def test_the_daemon_replaces_a_code_server_that_has_died_when_it_looks_next_and_no_other() -> None:
    ran = subprocess.run([sys.executable, "-c", CODE_SERVERS], capture_output=True, text=True, check=False, timeout=120)
    answers = [line for line in ran.stdout.splitlines() if line.startswith(("True", "False"))]
    assert answers == ["True True"] * 2, ran.stderr[-2000:]
