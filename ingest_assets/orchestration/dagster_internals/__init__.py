"""Whatever of Dagster this project uses or replaces although Dagster does not document it.

Each module has one subject and says what it takes and why. Nothing else in `ingest_assets` imports a private module of
Dagster. All of it holds for the one version that `pyproject.toml` pins, and the tests notice where another differs.
Importing anything here changes nothing in Dagster; `install` does.
"""

from ingest_assets.orchestration.dagster_internals.installation import install

__all__ = ["install"]
