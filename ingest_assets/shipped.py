"""Files that are beside the package in a checkout and inside it in a wheel."""

from functools import cache
from importlib.resources import files
from pathlib import Path


def shipped(name: str) -> Path:
    """Return where the file or folder is."""
    package = Path(str(files("ingest_assets")))
    packaged = package / name
    return packaged if packaged.exists() else package.parent / name


@cache
def known_migrations() -> frozenset[str]:
    """Return the names of the migrations that this code comes with."""
    return frozenset(path.stem for path in (shipped("sql") / "migrations").glob("[0-9]*.sql"))
