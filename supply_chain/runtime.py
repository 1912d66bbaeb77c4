"""What runs in production: the packages that the lock installs without those for development, with their bytes."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from supply_chain.licences import read_package

PIN = re.compile(r"(?m)^(?P<name>[\w.-]+)(\[[\w., -]+\])?==(?P<version>[\w.!+]+)(?P<rest>[^\n]*(\n    --hash=[^\n]+)*)")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


class UnlikeTheLockError(RuntimeError):
    """What is installed is not what the lock says."""


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    version: str
    hashes: tuple[str, ...]
    """SHA-256 of every file that the lock allows for it: one for each platform, and the source."""
    licences: tuple[str, ...]
    needs: tuple[str, ...]


def runtime_parts(root: str, environment: Iterable[Distribution], lock: Path) -> list[Part]:
    """Return `root` (without hashes) and everything that it needs on this machine, by name.

    Raises:
        UnlikeTheLockError: a package is missing, or has another version than the lock.
    """
    installed: dict[str, Distribution] = {canonicalize_name(each.name): each for each in environment}
    pins: dict[tuple[str, str], tuple[str, ...]] = {
        (canonicalize_name(pin["name"]), pin["version"]): tuple(HASH.findall(pin["rest"]))
        for pin in PIN.finditer(lock.read_text())
    }
    extras: dict[str, set[str]] = {root: {""}}
    open_ends, needs = [root], dict[str, set[str]]()
    while open_ends:
        name = open_ends.pop()
        needs[name] = set()
        for requirement in _requirements(name, extras[name], installed):
            needed = canonicalize_name(requirement.name)
            needs[name].add(needed)
            known = extras.setdefault(needed, {""})
            if needed not in needs or not requirement.extras <= known:
                known |= requirement.extras
                open_ends.append(needed)
    pins[root, installed[root].version] = ()
    return [_part(installed[name], tuple(sorted(needs[name])), pins) for name in sorted(needs)]


def _requirements(name: str, extras: set[str], installed: Mapping[str, Distribution]) -> Iterable[Requirement]:
    if name not in installed:
        raise UnlikeTheLockError(f"{name} is not installed: make install")
    for line in installed[name].requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras):
            yield requirement


def _part(found: Distribution, needs: tuple[str, ...], pins: Mapping[tuple[str, str], tuple[str, ...]]) -> Part:
    name = canonicalize_name(found.name)
    if (name, found.version) not in pins:
        raise UnlikeTheLockError(f"{name} {found.version} is not in the lock: make install")
    return Part(name, found.version, pins[name, found.version], read_package(found).licences, needs)
