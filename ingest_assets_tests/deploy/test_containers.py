"""deploy/Containerfile and deploy/compose.yaml, as far as they can be checked where no container runs."""

import importlib.resources
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import distributions
from pathlib import Path
from threading import Thread
from typing import Any

import jsonschema_rs
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pathspec import PathSpec

from ingest_assets_tests.deploy.files import (
    DEPLOY,
    ROOT,
    SECRET,
    assert_known,
    assert_parses,
    documents_in,
    registry_of,
    strings_in,
)
from supply_chain.runtime import PIN, runtime_parts

PRODUCTION = ROOT / "requirements-production.lock"
HARDENED = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"]}
UNTIL_THEN = {"service_healthy", "service_completed_successfully"}


@dataclass(frozen=True)
class Instruction:
    name: str
    text: str

    @property
    def words(self) -> list[str]:
        return [each for each in self.text.split() if not each.startswith("--")]


def stages() -> list[list[Instruction]]:
    """What the Containerfile says before its first stage, and in each of them."""
    text = re.sub(r"(?m)^\s*#.*\n", "", (DEPLOY / "Containerfile").read_text()).replace("\\\n", " ")
    found: list[list[Instruction]] = [[]]
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, rest = line.partition(" ")
        if name == "FROM":
            found.append([])
        found[-1].append(Instruction(name, rest.strip()))
    return found


def instructions(name: str) -> list[Instruction]:
    return [each for stage in stages() for each in stage if each.name == name]


def copied() -> set[str]:
    """What is copied from the repository."""
    return {source for each in instructions("COPY") if "--from=" not in each.text for source in each.words[:-1]}


def pins(lock: Path) -> dict[str, set[str]]:
    """The versions of each package; there is more than one if systems or Pythons differ."""
    found: dict[str, set[str]] = {}
    for pin in PIN.finditer(lock.read_text()):
        found.setdefault(canonicalize_name(pin["name"]), set()).add(pin["version"])
    return found


def test_what_is_copied_is_there_and_nothing_else_reaches_the_build() -> None:
    lines = (ROOT / ".containerignore").read_text().splitlines()
    ignored = PathSpec.from_lines("gitignore", lines)
    assert {path.name for path in ROOT.iterdir() if not ignored.match_file(path.name)} == copied()
    assert ignored.match_file("ingest_assets/domain/__pycache__/roles.cpython-311.pyc")
    assert ignored.match_file("deploy/secrets/jwt_secret")
    assert (ROOT / ".dockerignore").read_text() == (ROOT / ".containerignore").read_text()


def test_the_build_has_all_that_the_wheel_is_made_of() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["packages"], *wheel["force-include"], *project["project"]["license-files"]}
    assert needed | {project["project"]["readme"], "pyproject.toml"} <= copied()


def test_every_package_comes_from_a_lock_with_hashes_and_the_project_itself_brings_none() -> None:
    installing = [each for run in instructions("RUN") for each in run.text.split("&&") if "pip install" in each]
    assert len(installing) == 3
    for each in installing:
        assert "--require-hashes" in each or ("--no-deps" in each and "--no-index" in each)
    assert "--no-build-isolation" in " ".join(run.text for run in instructions("RUN"))


def test_it_is_built_from_one_image_that_an_argument_names_without_a_registry() -> None:
    [argument] = stages()[0]
    name, _, image = argument.text.partition("=")
    assert argument.name == "ARG"
    assert registry_of(image) is None
    assert re.fullmatch(r"python:3\.1[123]-slim-\w+", image)
    assert [each.words[0] for each in instructions("FROM")] == [f"${{{name}}}"] * 2


def test_it_runs_as_somebody_else_than_root_by_number() -> None:
    *_, user = [each.text for each in stages()[-1] if each.name == "USER"]
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
    made = " ".join(each.text for each in stages()[-1] if each.name == "RUN")
    assert f"useradd --uid {user.partition(':')[0]}" in made


def test_it_holds_no_secret_and_only_variables_that_something_reads() -> None:
    last = stages()[-1]
    assert_known(word.partition("=")[0] for each in last if each.name == "ENV" for word in each.words)
    assert [each for each in instructions("ARG") if SECRET.search(each.text.partition("=")[0])] == []


def test_what_it_runs_by_default_is_a_command() -> None:
    found = {each.name: each.text for each in stages()[-1]}
    init, dashes, ingest = json.loads(found["ENTRYPOINT"])
    assert (Path(init).name, dashes, ingest) == ("tini", "--", "ingest")
    assert_parses(json.loads(found["CMD"]))


class Health(BaseHTTPRequestHandler):
    """A service in some condition."""

    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's name
        """Say nothing."""


class Ill(Health):
    status = 503


@contextmanager
def serving(handler: type[Health]) -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def checks() -> dict[str, list[str]]:
    """The commands that say whether a container is well."""
    [image] = instructions("HEALTHCHECK")
    found = {"image": json.loads(image.text.partition("CMD ")[2])}
    for name, service in compose()["services"].items():
        test = service.get("healthcheck", {}).get("test", [])
        if test[:2] == ["CMD", "python"]:
            found[name] = test[1:]
    return found


@pytest.mark.parametrize("name", ["image", "serve", "up"])
def test_a_health_check_tells_a_service_that_is_well_from_one_that_is_gone(name: str) -> None:
    _, option, code = checks()[name]

    def passes(port: int) -> bool:
        asked = re.sub(r"\b(8000|3000)\b", str(port), code)
        return subprocess.run([sys.executable, option, asked], capture_output=True, check=False).returncode == 0

    with serving(Health) as port:
        assert passes(port)
    assert not passes(port)
    if "urlopen" in code:
        with serving(Ill) as port:
            assert not passes(port)


def test_every_health_check_has_been_tried() -> None:
    assert checks().keys() == {"image", "serve", "up"}


def test_the_lock_of_production_is_the_tested_one_without_what_only_developers_need() -> None:
    production, tested = pins(PRODUCTION), pins(ROOT / "requirements.lock")
    assert {name: found for name, found in production.items() if not found <= tested[name]} == {}
    assert {"dagster", "obstore", "psycopg-binary", "xberg"} <= production.keys()
    assert not {"pytest", "mypy", "ruff", "hatchling", "playwright", "kubernetes-validate"} & production.keys()


def test_the_lock_of_production_has_all_that_the_project_needs_here_with_the_bucket() -> None:
    parts = runtime_parts("ingest-assets", distributions(), ROOT / "requirements.lock")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    bucket = {canonicalize_name(Requirement(each).name) for each in project["optional-dependencies"]["s3"]}
    assert {part.name for part in parts} - {"ingest-assets"} | bucket <= pins(PRODUCTION).keys()


def compose() -> dict[str, Any]:
    [document] = documents_in((DEPLOY / "compose.yaml").read_text())
    return dict(document)


def ours() -> dict[str, Any]:
    """The services that run this project's image."""
    return {name: each for name, each in compose()["services"].items() if "ingest-assets" in each["image"]}


def test_compose_reads_it_as_its_specification_says() -> None:
    vendored = importlib.resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    schema = json.loads(vendored.read_text())
    assert [error.message for error in jsonschema_rs.validator_for(schema).iter_errors(compose())] == []


def test_a_key_that_stands_twice_is_not_overlooked() -> None:
    with pytest.raises(ValueError, match="image"):
        documents_in("services: {up: {image: a, image: b}}")


@pytest.mark.parametrize("kind", ["networks", "volumes", "secrets", "configs"])
def test_what_services_name_is_declared_and_what_is_declared_is_used(kind: str) -> None:
    document = compose()
    used = {
        (each["source"] if isinstance(each, dict) else each.partition(":")[0])
        for service in document["services"].values()
        for each in service.get(kind, [])
    }
    assert used == document[kind].keys()


def test_a_service_waits_for_what_is_there_and_can_say_that_it_is_ready() -> None:
    services = compose()["services"]
    for service in services.values():
        for name, how in service.get("depends_on", {}).items():
            assert how["condition"] in UNTIL_THEN
            ends = services[name]["restart"] == "no"
            assert ends == (how["condition"] == "service_completed_successfully")
            assert ends or services[name]["healthcheck"]["test"]


def test_every_service_of_ours_runs_a_command_with_known_settings_and_few_rights() -> None:
    assert set(ours()) == {"migrate", "up", "serve", "backup"}
    for service in ours().values():
        assert_parses(service["command"])
        assert_known(service["environment"])
        assert {name: service[name] for name in HARDENED} == HARDENED


def test_secrets_come_from_files_that_a_service_is_given_and_git_does_not_keep() -> None:
    document = compose()
    for service in document["services"].values():
        read = re.findall(r"/run/secrets/(\w+)", " ".join(strings_in(service.get("environment", {}))))
        assert set(read) == set(service.get("secrets", []))
    for secret in document["secrets"].values():
        path = DEPLOY / secret["file"]
        assert subprocess.run(["git", "check-ignore", "--quiet", path], cwd=ROOT, check=False).returncode == 0


def test_only_this_machine_reaches_what_is_published() -> None:
    ports = [port for service in compose()["services"].values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_no_image_is_named_by_its_registry() -> None:
    images = [re.sub(r"\$\{\w+:-(.*)\}", r"\1", each["image"]) for each in compose()["services"].values()]
    assert [image for image in images if registry_of(image)] == []


def test_the_postgres_of_the_file_logs_no_rows() -> None:
    command = " ".join(compose()["services"]["postgres"]["command"])
    for setting in ("log_min_messages=log", "log_min_error_statement=panic", "log_error_verbosity=terse"):
        assert f"-c {setting}" in command
