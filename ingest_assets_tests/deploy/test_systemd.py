"""deploy/systemd, checked by systemd's own program where it is installed; no unit is started."""

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from ingest_assets.adapters.parsers.sealed.system_calls import ALLOWED
from ingest_assets_tests.deploy.files import DEPLOY, assert_known, assert_parses

FOLDER = DEPLOY / "systemd"
INSTALLED = "/opt/ingest-assets/bin/ingest"
UNITS = sorted(path.name for path in FOLDER.iterdir() if path.suffix in {".service", ".timer"})
SERVICES = [name for name in UNITS if name.endswith(".service")]
DROP_INS = ("database.conf", "providers.conf")
EXPOSURE = 30
"""The most of `systemd-analyze security`, in tenths of its 10."""
CONFINING = {
    "unshare",
    "prctl",
    "capset",
    "seccomp",
    "landlock_create_ruleset",
    "landlock_restrict_self",
    "setpriority",
}
"""What parsers call to confine themselves and to be polite."""
WORKERS_NAMESPACES = {"user", "net", "ipc"}

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed: no unit was verified"
)


def lines(name: str, key: str) -> list[str]:
    """The values of a key that may stand several times."""
    return re.findall(rf"^{key}=(.*)$", (FOLDER / name).read_text(), re.MULTILINE)


def assigned(name: str) -> dict[str, str]:
    pairs = [pair.partition("=") for line in lines(name, "Environment") for pair in line.split()]
    return {variable: value for variable, _, value in pairs}


def analysed(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units as on a host where the program is installed: what they start must exist."""
    program = str(Path(sys.executable).parent / "ingest")
    for name in UNITS:
        (tmp_path / name).write_text((FOLDER / name).read_text().replace(INSTALLED, program))
        if name in SERVICES:
            extra = tmp_path / f"{name}.d"
            extra.mkdir()
            for each in DROP_INS:
                shutil.copy(FOLDER / each, extra)
    return tmp_path


@needs_systemd
def test_systemd_finds_nothing_wrong_with_the_units_and_what_may_be_dropped_in(units: Path) -> None:
    verified = analysed("verify", "--man=no", *[units / name for name in UNITS])
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


@needs_systemd
def test_a_word_that_systemd_does_not_know_is_noticed(units: Path) -> None:
    unit = units / "ingest-serve.service"
    unit.write_text(unit.read_text().replace("NoNewPrivileges=", "NoNewPrivilege="))
    assert "NoNewPrivilege" in analysed("verify", "--man=no", unit).stderr


@needs_systemd
@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_as_confined_as_its_work_allows(name: str, units: Path) -> None:
    judged = analysed("security", "--offline=true", f"--threshold={EXPOSURE}", units / name)
    assert judged.returncode == 0, judged.stdout.splitlines()[-1]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_runs_a_command_with_known_settings(name: str) -> None:
    [command] = lines(name, "ExecStart")
    program, *arguments = command.split()
    assert program == INSTALLED
    assert_parses(arguments)
    assert_known(assigned(name))


def test_what_may_be_added_are_known_settings() -> None:
    for name in DROP_INS:
        assert_known(assigned(name))
    shown = re.findall(r"^#?([A-Z_]+)=", (FOLDER / "settings.env").read_text(), re.MULTILINE)
    assert shown
    assert_known(shown)


@pytest.mark.parametrize("name", [*SERVICES, *DROP_INS])
def test_secrets_are_credentials_that_the_service_is_given(name: str) -> None:
    given = [each.partition(":")[0] for each in lines(name, "LoadCredential")]
    read = [value.removeprefix("%d/") for value in assigned(name).values() if value.startswith("%d/")]
    assert given == read


@pytest.mark.parametrize("name", SERVICES)
def test_services_share_a_home_that_belongs_to_their_user_alone(name: str) -> None:
    state = lines(name, "StateDirectory")[0].split()
    assert assigned(name)["INGEST_HOME"] == f"%S/{state[0]}/home"
    assert lines(name, "StateDirectoryMode") == ["0700"]
    assert lines(name, "User") == [
        line.split()[1] for line in (FOLDER / "ingest-assets.sysusers").read_text().splitlines() if line[:2] == "u "
    ]
    for folder in re.findall(r"%S/([\w-]+)", (FOLDER / name).read_text()):
        assert folder in state


def test_every_timer_starts_a_service_that_is_there() -> None:
    timers = [name for name in UNITS if name.endswith(".timer")]
    assert timers
    assert {name.replace(".timer", ".service") for name in timers} <= set(SERVICES)


@cache
def members(group: str) -> frozenset[str]:
    """The system calls of a group of systemd's, with those of the groups in it."""
    listed = [each.strip() for each in analysed("syscall-filter", group).stdout.splitlines()[1:]]
    inner = [members(each) for each in listed if each.startswith("@")]
    return frozenset(each for each in listed if each[:1].isalpha() or each.startswith("_")).union(*inner)


def allowed_calls(name: str) -> set[str]:
    words = " ".join(lines(name, "SystemCallFilter")).split()
    return {call for word in words for call in (members(word) if word.startswith("@") else [word])}


@needs_systemd
@pytest.mark.parametrize("name", SERVICES)
def test_a_service_leaves_its_parsers_the_means_to_confine_themselves(name: str) -> None:
    assert set(ALLOWED.split()) | CONFINING <= allowed_calls(name)
    assert set(lines(name, "RestrictNamespaces")[0].split()) == WORKERS_NAMESPACES
