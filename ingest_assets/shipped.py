"""Files that are beside the package in a checkout and inside it in a wheel."""

from importlib.resources import files
from pathlib import Path


def shipped(name: str) -> Path:
    """Return where the file or folder is."""
    package = Path(str(files("ingest_assets")))
    packaged = package / name
    return packaged if packaged.exists() else package.parent / name
