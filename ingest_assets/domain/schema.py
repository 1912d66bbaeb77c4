"""Which schemas this code can work with, judged by the names of the migrations that made them.

A migration named NNNN_pre_… leaves older code working, and newer code needs it. One named NNNN_post_… stops older code,
and newer code works without it. One named NNNN_between_… does both: it stops older code, and newer code needs it.
"""

from collections.abc import Collection, Iterable, Sequence

from ingest_assets.domain.errors import OutageError, ResourceError


def check_schema(applied: Collection[str], known: Collection[str]) -> None:
    """Check that this code can work with a schema.

    Args:
        applied: The names of the migrations that made the schema.
        known: The names of the migrations that this code comes with.

    Raises:
        OutageError: schema_outdated.
        ResourceError: schema_newer.
    """
    check_not_newer(applied, known)
    if needed(name for name in known if name not in applied):
        raise OutageError("schema_outdated")


def check_not_newer(applied: Iterable[str], known: Collection[str]) -> None:
    """Check that this code knows each migration that stops older code.

    Raises:
        ResourceError: schema_newer.
    """
    unknown = sorted(name for name in applied if name not in known and not _is(name, "pre"))
    if unknown:
        raise ResourceError("schema_newer", name=unknown[0])


def needed(missing: Iterable[str]) -> list[str]:
    """Return those of the missing migrations without which this code does not work."""
    return [name for name in missing if not _is(name, "post")]


def needed_by_nobody(pending: Sequence[str]) -> list[str]:
    """Return what can wait until no older code runs: what comes after everything that newer code needs.

    Args:
        pending: The names of the migrations that are to be applied, in order.
    """
    last = max((number for number, name in enumerate(pending, start=1) if needed([name])), default=0)
    return list(pending[last:])


def _is(name: str, kind: str) -> bool:
    return name[4:].startswith(f"_{kind}_")
