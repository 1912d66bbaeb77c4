"""Hosts as network namespaces: each has addresses and processes of its own, and a cable to one switch."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil  # type: ignore[import-untyped]

from ingest_assets.posix.locks import try_exclusive

PREFIX = "ing-"
"""What the names of all namespaces and links begin with: whatever has such a name may be removed."""
SWITCH = f"{PREFIX}switch"
NETWORK = "10.77.14"
HERE = f"{NETWORK}.1"
"""The address of this process: it is a user of the deployment, and the providers are with it."""
LOCK = Path("/run/lock/ingest-cluster.lock")
NEW_NETWORK = 0x40000000
"""CLONE_NEWNET."""
KILL_SECONDS = 10

Answer = TypeVar("Answer")


class BusyError(Exception):
    """Another process has these namespaces."""


def missing() -> str | None:
    """Return what this machine lacks for hosts of namespaces, if anything."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "network namespaces need root on Linux"
    if shutil.which("ip") is None:
        return "iproute2 (ip) is not installed"
    # One without a name: processes that look at the same time would take each other's for a refusal.
    made = subprocess.run(["unshare", "--net", "true"], check=False, capture_output=True).returncode == 0
    return None if made else "this kernel allows no network namespaces"


@dataclass(frozen=True)
class Host:
    name: str
    number: int

    @property
    def address(self) -> str:
        return f"{NETWORK}.{self.number}"

    @property
    def namespace(self) -> str:
        return f"{PREFIX}{self.name}"

    def command(self, *words: str | Path) -> list[str]:
        """Return the command line that runs a command on this host."""
        return ["ip", "netns", "exec", self.namespace, *map(str, words)]

    def make(self) -> None:
        end = f"{self.namespace}-end"[:15]
        _ip("netns", "add", self.namespace)
        _ip("link", "add", self.namespace, "type", "veth", "peer", "name", end)
        _ip("link", "set", end, "netns", self.namespace, "name", "eth0")
        _ip("link", "set", self.namespace, "master", SWITCH, "up")
        _ip("-n", self.namespace, "address", "add", f"{self.address}/24", "dev", "eth0")
        for link in ("lo", "eth0"):
            _ip("-n", self.namespace, "link", "set", link, "up")

    def unplug(self) -> None:
        _ip("link", "set", self.namespace, "down")

    def plug(self) -> None:
        _ip("link", "set", self.namespace, "up")

    def kill(self) -> None:
        """End all processes at once, as a power cut does."""
        _kill_all(self.namespace)

    def inside(self, work: Callable[[], Answer]) -> Answer:
        """Do the work in a thread that is on this host."""
        with ThreadPoolExecutor(1) as thread:
            thread.submit(_enter, self.namespace).result()
            return thread.submit(work).result()


@contextmanager
def sole_user() -> Iterator[None]:
    """Keep other processes from making hosts during the block, and remove those that a killed run has left.

    Raises:
        BusyError: Another process does.
    """
    lock = try_exclusive(LOCK)
    if lock is None:
        raise BusyError
    try:
        _clear()
        yield
    finally:
        lock.release()


@contextmanager
def network(*hosts: Host) -> Iterator[None]:
    """Make the hosts, and remove them with their processes."""
    try:
        _ip("link", "add", SWITCH, "type", "bridge")
        _ip("address", "add", f"{HERE}/24", "dev", SWITCH)
        _ip("link", "set", SWITCH, "up")
        for host in hosts:
            host.make()
        yield
    finally:
        _clear()


def _clear() -> None:
    for line in _told("ip", "netns", "list"):
        name = line.split()[0]
        if name.startswith(PREFIX):
            _kill_all(name)
            _try_ip("netns", "delete", name)
            _try_ip("link", "delete", name)  # gone with its other end, unless that never came into the namespace
    _try_ip("link", "delete", SWITCH)


def _kill_all(namespace: str) -> None:
    """Kill every process of the namespace with its descendants, some of which have none of its network."""
    deadline = time.monotonic() + KILL_SECONDS
    while (found := _processes(namespace)) and time.monotonic() < deadline:
        for process in found:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.02)


def _processes(namespace: str) -> set[int]:
    found: set[int] = set()
    for line in _told("ip", "netns", "pids", namespace):
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(int(line))
            found |= {each.pid for each in [process, *process.children(recursive=True)] if each.status() != "zombie"}
    return found


def _enter(namespace: str) -> None:
    with Path("/run/netns", namespace).open() as opened:
        if ctypes.CDLL(None, use_errno=True).setns(opened.fileno(), NEW_NETWORK) != 0:
            raise OSError(ctypes.get_errno(), "setns")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def _try_ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=False, capture_output=True)


def _told(*command: str) -> list[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout.splitlines()
