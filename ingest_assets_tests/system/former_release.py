"""The release before: the code of the newest commit that lacks some migrations of this one, in its own environment.

It takes the dependencies of the environment that the tests run in.
"""

import subprocess
import sys
import sysconfig
import tarfile
import venv
from io import BytesIO
from pathlib import Path

PROJECT = Path(__file__).parents[2]
MIGRATIONS = "sql/migrations"


def former_release(folder: Path) -> Path | None:
    """Unpack the release before and return its interpreter, or None where its commit is not to be had."""
    commit = _commit()
    if commit is None:
        return None
    archive = _git("archive", commit)
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        files.extractall(folder / "code", filter="data")
    venv.create(folder / "environment", symlinks=True, with_pip=False)
    (folder / "environment" / "share").symlink_to(Path(sys.prefix) / "share")  # the language data of the recognition
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    paths = [folder / "code", sysconfig.get_path("purelib")]
    packages = folder / "environment" / "lib" / version / "site-packages"
    (packages / "former_release.pth").write_text("".join(f"{path}\n" for path in paths))
    python = folder / "environment" / "bin" / "python"
    for name in ("dagster", "dagster-daemon", "dagster-webserver"):
        _, script = (Path(sys.executable).parent / name).read_text().split("\n", 1)
        (python.parent / name).write_text(f"#!{python}\n{script}")
        (python.parent / name).chmod(0o755)
    return python


def _commit() -> str | None:
    """Return the newest commit whose migrations are some of this code's, but not all of them."""
    now = {path.name: _blob(path) for path in (PROJECT / MIGRATIONS).glob("*.sql")}
    try:
        commits = _git("rev-list", "--first-parent", "HEAD").decode().split()
    except (subprocess.CalledProcessError, FileNotFoundError):
        return None
    for commit in commits:
        lines = _git("ls-tree", commit, f"{MIGRATIONS}/").decode().splitlines()
        then = {Path(line.split("\t")[1]).name: line.split()[2] for line in lines}
        if not then:
            return None
        if then.items() < now.items():
            return commit
    return None


def _blob(path: Path) -> str:
    return _git("hash-object", str(path)).decode().strip()


def _git(*arguments: str) -> bytes:
    command = ["git", "-c", f"safe.directory={PROJECT}", *arguments]
    return subprocess.run(command, cwd=PROJECT, check=True, capture_output=True).stdout
