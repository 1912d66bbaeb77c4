"""Everything in Dagster that this project uses or replaces although Dagster does not document it.

Each module has one subject, and says what it uses and why. Nothing else in `ingest_assets` imports a private module of
Dagster. Everything here works with the one version that `pyproject.toml` pins; the tests notice if another version
differs. Importing these modules changes nothing in Dagster; `install` does.
"""

from ingest_assets.orchestration.dagster_internals.installation import install

__all__ = ["install"]
