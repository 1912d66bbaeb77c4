"""The user that runs the server: Postgres refuses root, and any user id without a name."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

UNPRIVILEGED = "nobody"
BECOME = """
import os, sys
group, user, *command = sys.argv[1:]
os.setgroups([])
os.setgid(int(group))
os.setuid(int(user))
os.execv(command[0], command)
"""
CLEAN_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"} | {
    name: value for name, value in os.environ.items() if name == "LD_LIBRARY_PATH"
}
"""No secrets of the server's users, no settings for other servers; some interpreters need the path of their library."""


@dataclass(frozen=True, slots=True)
class Identity:
    prefix: tuple[str, ...]
    """The words that a command line needs in front of it to run as this user."""
    owner: int
    group: int
    """The owner and the group of the files that the server writes, as this process sees them."""

    def run(self, command: Sequence[str], *, output: int, text: str = "") -> None:
        """Run a command as this user.

        Args:
            command: The program and its arguments.
            output: The descriptor of a file for the output.
            text: The input.

        Raises:
            CalledProcessError: The command failed.
        """
        subprocess.run(
            [*self.prefix, *command],
            input=text.encode(),
            stdout=output,
            stderr=output,
            cwd="/",
            env=CLEAN_ENVIRONMENT,
            check=True,
        )

    def can_use(self, folder: Path, program: str) -> bool:
        """Return whether programs of this user can enter the folder and run the program."""
        check = 'test -x "$1" && exec "$2" --version'
        try:
            self.run(["/bin/sh", "-c", check, "sh", str(folder), program], output=subprocess.DEVNULL)
        except (OSError, subprocess.CalledProcessError):
            return False
        return True


def as_is() -> Identity:
    return Identity((), os.geteuid(), os.getegid())


def in_user_namespace() -> Identity | None:
    """Return this process's own rights on files under another name, or None without the tool for it."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return None
    name = pwd.getpwnam(UNPRIVILEGED)
    mapping = (f"--map-user={name.pw_uid}", f"--map-group={name.pw_gid}")
    return Identity((unshare, "--user", *mapping, "--"), os.geteuid(), os.getegid())


def of_user(owner: int, group: int) -> Identity:
    """Return another user's identity; only root may become another user."""
    return Identity((sys.executable, "-I", "-S", "-c", BECOME, str(group), str(owner)), owner, group)


def of_nobody() -> Identity:
    name = pwd.getpwnam(UNPRIVILEGED)
    return of_user(name.pw_uid, name.pw_gid)


def this_user_has_a_name() -> bool:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return True
