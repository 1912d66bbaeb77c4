"""What the site is built from: the pages of the repository, where their links expect each other.

The pages link to each other as they do on any host that shows a repository, so README.md and its like stand above docs/
here, too.
"""

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]
GATHERED = ROOT / "build" / "pages"
BESIDE = ("SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "monitoring/alerts.yaml")
"""What pages link to outside of docs/, besides README.md, which is the front page."""


def gather(folder: Path = GATHERED) -> None:
    """Put everything in place, and remove what was there before."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", folder / "docs")
    for name in ("README.md", *BESIDE):
        target = folder / name
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / name, target)
