"""deploy/kubernetes, as far as it can be checked without a cluster: by Kubernetes' own schemas and by what we run."""

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import kubernetes_validate
import psycopg
import pytest
from fastapi.routing import APIRoute

from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.queue.stages import State
from ingest_assets.domain.roles import Role
from ingest_assets.http.health import router
from ingest_assets.http.server import GRACE_SECONDS
from ingest_assets.settings import Settings, login_url
from ingest_assets_tests.deploy.files import (
    KUBERNETES,
    SECRET,
    SETTINGS,
    assert_known,
    assert_parses,
    documents_in,
    registry_of,
    strings_in,
)
from ingest_assets_tests.queue_rows import QueueRow, fill, several

VERSIONS = ("1.30", kubernetes_validate.latest_version())
"""An old release that clouds still run, and the newest that the schemas know."""
LAYERS = ("base", "keda", "example")
BESIDE_THE_MAIN_PROCESS = 1024
"""Megabytes for all that is no parser."""
SCALED_JOB = {
    "failedJobsHistoryLimit": int,
    "jobTargetRef": dict,
    "maxReplicaCount": int,
    "minReplicaCount": int,
    "pollingInterval": int,
    "rollout": dict,
    "scalingStrategy": dict,
    "successfulJobsHistoryLimit": int,
    "triggers": list,
}
"""Of what KEDA 2.17 defines for `spec`, what is used here, with its type."""
TRIGGER = {"activationTargetQueryValue", "query", "targetQueryValue"}
"""What KEDA's scaler for PostgreSQL must be told besides where the server is; it takes all of them as text."""
SERVER = {"connection", "dbName", "host", "password", "port", "sslmode", "userName"}
"""What it may be told by a TriggerAuthentication."""
MEGABYTES = {"Mi": 1, "Gi": 1024}

needs_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed: nothing rendered")


def objects(*layers: str) -> list[dict[str, Any]]:
    folders = [KUBERNETES / layer for layer in layers or LAYERS]
    return [
        document
        for folder in folders
        for path in sorted(folder.glob("*.yaml"))
        if path.name != "kustomization.yaml"
        for document in documents_in(path.read_text())
    ]


def kustomization(layer: str) -> dict[str, Any]:
    [document] = documents_in((KUBERNETES / layer / "kustomization.yaml").read_text())
    return dict(document)


def named(kind: str, name: str) -> dict[str, Any]:
    [found] = [each for each in objects() if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def job_of(scaled: dict[str, Any]) -> dict[str, Any]:
    """The job that KEDA starts."""
    metadata = {"name": scaled["metadata"]["name"]}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": scaled["spec"]["jobTargetRef"]}


def templates() -> dict[str, dict[str, Any]]:
    """The pods of each workload."""
    found = {}
    for each in objects():
        spec = job_of(each)["spec"] if each["kind"] == "ScaledJob" else each.get("spec", {})
        spec = spec.get("jobTemplate", {"spec": spec})["spec"]
        if "template" in spec:
            found[each["metadata"]["name"]] = cast("dict[str, Any]", spec["template"])
    return found


def containers() -> dict[str, dict[str, Any]]:
    return {name: only(pod["spec"]["containers"]) for name, pod in templates().items()}


def only(items: list[Any]) -> Any:
    [item] = items
    return item


def assert_valid(found: dict[str, Any], versions: Iterable[str] = VERSIONS) -> None:
    if found["kind"] == "TriggerAuthentication":
        [target] = found["spec"].pop("secretTargetRef")
        assert found["spec"] == {}
        assert target.keys() == {"key", "name", "parameter"}
        assert target["parameter"] in SERVER
        return
    if found["kind"] == "ScaledJob":
        assert {name: type(value) for name, value in found["spec"].items()} == SCALED_JOB
        assert found["apiVersion"] == "keda.sh/v1alpha1"
        found = job_of(found)
    for version in versions:
        kubernetes_validate.validate(found, version, strict=True)


@pytest.mark.parametrize("found", objects(), ids=lambda each: f"{each['kind']} {each['metadata']['name']}")
def test_every_object_is_what_kubernetes_and_keda_define(found: dict[str, Any]) -> None:
    assert_valid(found)


def test_what_kubernetes_does_not_define_is_noticed() -> None:
    found = named("Deployment", "ingest-serve")
    found["spec"]["replica"] = found["spec"].pop("replicas")
    with pytest.raises(kubernetes_validate.ValidationError, match="replica"):
        assert_valid(found)


@needs_kubectl
def test_kustomize_makes_the_same_objects_of_it_with_the_sites_own_settings() -> None:
    command = ["kubectl", "kustomize", str(KUBERNETES / "example")]
    rendered = documents_in(subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout)
    assert {(each["kind"], each["metadata"]["name"]) for each in rendered} == {
        (each["kind"], each["metadata"]["name"]) for each in objects()
    }
    for found in rendered:
        assert found["metadata"]["namespace"] == "ingest-assets"
        assert found["metadata"]["labels"]["app.kubernetes.io/part-of"] == "ingest-assets"
        assert_valid(found, VERSIONS[-1:])
    images = re.findall(r"'image': '([^']+)'", str(rendered))
    assert set(images) == {"ingest-assets:0.1.0"}
    [settings] = [each["data"] for each in rendered if each["kind"] == "ConfigMap"]
    assert "postgres.example" not in settings["INGEST_DATABASE_URL"]
    assert settings["INGEST_DRAIN_IN_FLIGHT"] == "2"


@pytest.mark.parametrize("layer", LAYERS)
def test_every_file_of_a_layer_is_listed_in_it(layer: str) -> None:
    listed = kustomization(layer)
    files = {path.name for path in (KUBERNETES / layer).glob("*.yaml")} - {"kustomization.yaml"}
    assert {each for each in listed["resources"] if not each.startswith("../")} == files
    for each in [*listed["resources"], *listed.get("components", [])]:
        assert (KUBERNETES / layer / each).exists()


def test_every_container_runs_a_command_with_known_settings_and_no_secret_in_its_environment() -> None:
    assert containers().keys() == {"ingest-backup", "ingest-drain", "ingest-migrate", "ingest-serve", "ingest-up"}
    for container in containers().values():
        assert "command" not in container
        assert_parses(container["args"])
        assert_known(each["name"] for each in container.get("env", []))
        assert not [each for each in container.get("env", []) if "valueFrom" in each]


def test_the_settings_of_all_exist_and_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    patches = [documents_in(each["patch"])[0]["data"] for each in kustomization("example")["patches"]]
    data = named("ConfigMap", "ingest-settings")["data"]
    for patch in patches:
        data |= patch
    assert_known(data)
    for name, value in data.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.model_fields_set
    assert settings.storage_url == "s3://documents/ingest"
    assert SETTINGS & data.keys()
    assert not [name for name in data if SECRET.search(name)]


def test_files_that_variables_name_are_mounted_where_they_are_read() -> None:
    shared = named("ConfigMap", "ingest-settings")["data"]
    for container in containers().values():
        mounts = [each["mountPath"] for each in container["volumeMounts"]]
        own = {each["name"]: each["value"] for each in container.get("env", [])}
        for path in [each for each in (shared | own).values() if each.startswith("/")]:
            assert any(Path(path).is_relative_to(mount) for mount in mounts), path
    for pod in templates().values():
        volumes = {each["name"] for each in pod["spec"]["volumes"]}
        assert {each["name"] for each in only(pod["spec"]["containers"])["volumeMounts"]} == volumes


def test_no_pod_has_more_rights_than_it_needs() -> None:
    for pod in templates().values():
        spec, container = pod["spec"], only(pod["spec"]["containers"])
        assert (spec["automountServiceAccountToken"], spec["enableServiceLinks"]) == (False, False)
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        assert "memory" in container["resources"]["limits"]
        assert registry_of(container["image"]) is None


def test_a_pod_runs_as_the_user_of_the_image() -> None:
    user = re.findall(r"^USER (\d+):(\d+)$", (KUBERNETES.parent / "Containerfile").read_text(), re.MULTILINE)
    for pod in templates().values():
        context = pod["spec"]["securityContext"]
        assert [(str(context["runAsUser"]), str(context["runAsGroup"]))] == user
        assert context["fsGroup"] == context["runAsGroup"]


def test_parsers_fit_into_the_memory_of_the_pods_that_parse() -> None:
    data = named("ConfigMap", "ingest-settings")["data"]
    up = {each["name"]: int(each["value"]) for each in containers()["ingest-up"]["env"] if each["value"].isdigit()}
    in_flight, largest = int(data["INGEST_DRAIN_IN_FLIGHT"]), int(data["INGEST_PARSE_MEMORY_MB"])
    parsers = {
        "ingest-drain": in_flight,
        "ingest-up": in_flight * up["INGEST_DRAIN_WORKERS"] + up["INGEST_FEW_JOBS"],
    }
    for name, most in parsers.items():
        limit = re.fullmatch(r"(\d+)(Mi|Gi)", containers()[name]["resources"]["limits"]["memory"])
        assert limit
        assert int(limit[1]) * MEGABYTES[limit[2]] >= most * largest + BESIDE_THE_MAIN_PROCESS


def test_labels_lead_from_selectors_to_pods() -> None:
    pods = [
        each["metadata"]["labels"] | {"app.kubernetes.io/part-of": "ingest-assets"} for each in templates().values()
    ]
    for kind, where in [
        ("Deployment", "selector"),
        ("PodDisruptionBudget", "selector"),
        ("NetworkPolicy", "podSelector"),
    ]:
        for found in [each for each in objects() if each["kind"] == kind]:
            wanted = found["spec"][where]["matchLabels"].items()
            assert [labels for labels in pods if wanted <= labels.items()]
    for each in kustomization("base")["labels"]:
        assert each["includeTemplates"]
    assert templates()["ingest-drain"]["metadata"]["labels"]["app.kubernetes.io/part-of"] == "ingest-assets"


def test_some_of_the_service_stays_while_nodes_are_drained() -> None:
    budget = named("PodDisruptionBudget", "ingest-serve")["spec"]["minAvailable"]
    assert 0 < budget < named("Deployment", "ingest-serve")["spec"]["replicas"]


def test_probes_ask_for_what_the_service_answers_on_the_port_where_it_listens() -> None:
    container = containers()["ingest-serve"]
    paths = {route.path for route in router.routes if isinstance(route, APIRoute)}
    for name in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[name]["httpGet"]["path"] in paths
        assert container[name]["httpGet"]["port"] == only(container["ports"])["name"]
    assert str(only(container["ports"])["containerPort"]) == container["args"][-1]
    # Whoever is not ready gets no requests; whoever is not alive is killed, which an absent database must not cause.
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_answers_have_the_time_that_the_service_gives_them_before_a_pod_is_killed() -> None:
    pause = int(containers()["ingest-serve"]["lifecycle"]["preStop"]["exec"]["command"][1])
    assert templates()["ingest-serve"]["spec"]["terminationGracePeriodSeconds"] > pause + GRACE_SECONDS


def test_secrets_are_mounted_and_only_what_the_bucket_needs_is_in_an_environment() -> None:
    for pod in templates().values():
        container = only(pod["spec"]["containers"])
        from_secrets = [each["secretRef"] for each in container["envFrom"] if "secretRef" in each]
        assert from_secrets in ([], [{"name": "ingest-store", "optional": True}])
    assert not [each for each in objects() if each["kind"] == "Secret"]


def triggers() -> Iterator[dict[str, Any]]:
    scaled = named("ScaledJob", "ingest-drain")
    assert scaled["spec"]["rollout"] == {"strategy": "gradual"}
    assert scaled["spec"]["scalingStrategy"] == {"strategy": "default"}
    yield from scaled["spec"]["triggers"]


def test_the_trigger_is_one_that_keda_knows_and_its_login_is_there() -> None:
    [trigger] = triggers()
    assert trigger["type"] == "postgresql"
    assert trigger["metadata"].keys() == TRIGGER
    assert all(isinstance(value, str) for value in strings_in(trigger["metadata"]))
    assert float(trigger["metadata"]["targetQueryValue"]) > 0
    authentication = named("TriggerAuthentication", trigger["authenticationRef"]["name"])
    assert {each["parameter"] for each in authentication["spec"]["secretTargetRef"]} == {"connection"}


@pytest.fixture
def worker(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """The login that KEDA is to have."""
    with psycopg.connect(login_url(database_url, Role.WORKER), autocommit=True) as connection:
        yield connection


def test_the_query_counts_what_workers_have_to_do_and_nothing_that_waits_or_is_paused(
    worker: psycopg.Connection[Any], database_url: str, user: UserId, other_user: UserId
) -> None:
    [trigger] = triggers()
    query = trigger["metadata"]["query"]

    def count() -> int:
        [(counted,)] = worker.execute(query).fetchall()
        assert isinstance(counted, int)
        return counted

    assert count() == 0
    waits = QueueRow(user, State.RETRYABLE, due_in=timedelta(hours=1))
    due = QueueRow(user, State.RETRYABLE, due_in=timedelta(hours=-1))
    ended = [QueueRow(user, State.DONE), QueueRow(user, State.DEADLETTER)]
    fill(database_url, [*several(3, user), waits, due, *ended, QueueRow(user, State.WORKING), QueueRow(other_user)])
    assert count() == 3 + 1 + 1 + 1
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute("UPDATE upload_pipeline.upload_jobs SET lease_expires_at = now() WHERE state = 'working'")
        assert count() == 3 + 1 + 1
        owner.execute("INSERT INTO upload_pipeline.pauses (provider) VALUES ('openai')")
        assert count() == 3 + 1 + 1
        owner.execute("INSERT INTO upload_pipeline.pauses (user_id) VALUES (%s)", [user])
        assert count() == 1
        owner.execute("INSERT INTO upload_pipeline.pauses DEFAULT VALUES")
        assert count() == 0
    worker.execute("SET enable_seqscan = off")  # a table of some rows is read as a whole otherwise
    plan = "\n".join(row[0] for row in worker.execute(f"EXPLAIN {query}"))
    assert "Scan using upload_jobs_" in plan or "Bitmap Index Scan on upload_jobs_" in plan
    assert "Seq Scan on upload_jobs" not in plan
