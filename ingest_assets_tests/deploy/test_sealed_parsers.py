"""Parsers seal themselves within what deploy/ leaves them: a container's usual profile, and the units' filter."""

import json
import os
import subprocess
import sys

import pytest

from ingest_assets.adapters.parsers.sealed.seals import Seal
from ingest_assets_tests.deploy.test_systemd import allowed_calls, needs_systemd

CLONE_NEW = 0x7E020000
"""The flags with which `clone` makes namespaces."""
PROFILE = """
import errno, json, sys
from seccompy import Action, ArgCmp, CmpOp, Filter, syscall_nr
from ingest_assets.adapters.parsers.local import LocalParser

allowed = json.loads(sys.argv[1])
if allowed is None:
    # What container engines refuse to all without CAP_SYS_ADMIN, as far as it concerns parsers.
    profile = Filter(default=Action.ALLOW)
    for name in ("unshare", "setns", "mount", "umount2", "pivot_root", "bpf", "perf_event_open", "keyctl"):
        profile.errno(name, errno.EPERM)
    profile.errno("clone3", errno.ENOSYS)
    for bit in (1 << number for number in range(32)):
        if bit & {CLONE_NEW}:
            profile.errno("clone", errno.EPERM, args=[ArgCmp(0, CmpOp.MASKED_EQ, bit, mask=bit)])
    profile.load()
elif allowed:
    profile = Filter(default=Action.ERRNO | errno.EPERM)
    for name in allowed:
        try:
            syscall_nr(name)
        except ValueError:
            continue
        profile.allow(name)
    profile.load()
parser = LocalParser()
print(json.dumps(parser.seals()))
parser.close()
""".replace("{CLONE_NEW}", str(CLONE_NEW))

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has these filters")


def seals(allowed: list[str] | None) -> set[str]:
    """What parsers hold when they are started behind a profile: a list of calls, none, or that of containers."""
    ran = subprocess.run(
        [sys.executable, "-c", PROFILE, json.dumps(allowed)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={name: value for name, value in os.environ.items() if not name.startswith("INGEST_")},
    )
    assert ran.returncode == 0, ran.stderr
    return {seal for seal, holds in json.loads(ran.stdout).items() if holds}


@pytest.fixture(scope="module")
def on_this_machine() -> set[str]:
    return seals([])


def test_in_a_container_parsers_lack_namespaces_and_what_these_would_count(on_this_machine: set[str]) -> None:
    held = seals(None)
    assert Seal.FILTER in held
    assert on_this_machine - held <= {Seal.NAMESPACES, Seal.THREADS}
    assert Seal.NAMESPACES not in held


@needs_systemd
def test_behind_the_filter_of_the_units_parsers_lack_nothing(on_this_machine: set[str]) -> None:
    assert seals(sorted(allowed_calls("ingest-assets.service"))) == on_this_machine
