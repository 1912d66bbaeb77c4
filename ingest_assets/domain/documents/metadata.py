"""What is known about a document besides its text, and conditions by which searches choose documents.

Values are texts. A few keys are well known, so their values are checked; all others are free.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.text.normalisation import normalise

Metadata = Mapping[str, str]
Changes = Mapping[str, str | None]
"""New values by key; None removes a key."""

MOST_KEYS = 50
LONGEST_VALUE = 500
SIDECAR = ".metadata.json"
"""What follows the whole name of a document in the name of the file beside it that holds its metadata."""
LONGEST_JSON = 64 * 1024

_KEY = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_GERMAN_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_NUMBERED = frozenset({"claim_number", "policy_number"})


class Operator(StrEnum):
    EQUAL = "="
    AT_LEAST = ">="
    AT_MOST = "<="
    ABOVE = ">"
    BELOW = "<"


_CONDITION = re.compile(r"\s*([^\s=<>]+)\s*(>=|<=|=|>|<)(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Condition:
    """What a document's metadata must meet. Numbers are compared as numbers, everything else as text."""

    key: str
    operator: Operator
    value: str


def check_metadata(given: Mapping[str, object]) -> dict[str, str]:
    """Return metadata as it is stored.

    Raises:
        PermanentError: invalid_metadata.
    """
    if len(given) > MOST_KEYS:
        raise PermanentError("invalid_metadata", what=f"it has more than {MOST_KEYS} keys.")
    return {check_key(key): _checked_value(key, value) for key, value in given.items()}


def check_changes(given: Mapping[str, object]) -> dict[str, str | None]:
    """Return changes of metadata as they are made.

    Raises:
        PermanentError: invalid_metadata.
    """
    removed: dict[str, str | None] = {check_key(key): None for key, value in given.items() if value is None}
    return removed | check_metadata({key: value for key, value in given.items() if value is not None})


def parse_metadata(content: bytes) -> dict[str, str]:
    """Return the metadata in a JSON object of texts and numbers.

    Raises:
        PermanentError: invalid_metadata.
    """
    try:
        given = json.loads(content) if len(content) <= LONGEST_JSON else None
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise PermanentError("invalid_metadata", what=f"it is not a JSON object of up to {LONGEST_JSON} bytes.")
    return check_metadata(given)


def parse_assignments(assignments: Iterable[str]) -> dict[str, str]:
    """Return the metadata that `key=value` texts give.

    Raises:
        PermanentError: invalid_metadata.
    """
    pairs = [assignment.partition("=") for assignment in assignments]
    if not all(separator for _, separator, _ in pairs):
        raise PermanentError("invalid_metadata", what="it is not written as key=value.")
    return check_metadata({key.strip(): value for key, _, value in pairs})


def parse_conditions(texts: Iterable[str]) -> list[Condition]:
    """Return the conditions that texts such as `line_of_business=motor` and `date>=2024-01-01` state.

    Raises:
        PermanentError: invalid_metadata.
    """
    return [_condition(text) for text in texts]


def check_key(key: str) -> str:
    """Return a key of metadata.

    Raises:
        PermanentError: invalid_metadata.
    """
    if not _KEY.fullmatch(key):
        raise PermanentError(
            "invalid_metadata",
            what="a key is not made of up to 64 small letters, digits, dots, hyphens and underscores.",
        )
    return key


def _condition(text: str) -> Condition:
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise PermanentError("invalid_metadata", what="a condition is not written as key=value or key>=value.")
    key = check_key(found[1])
    return Condition(key, Operator(found[2]), _checked_value(key, found[3]))


def _checked_value(key: str, given: object) -> str:
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise PermanentError("invalid_metadata", what="a value is neither a text nor a number.")
    value = " ".join(normalise(str(given)).split())
    if not 0 < len(value) <= LONGEST_VALUE:
        raise PermanentError("invalid_metadata", what=f"a value has no or more than {LONGEST_VALUE} characters.")
    if key == "date":
        return _checked_date(value)
    if key in _NUMBERED and not re.search("[0-9]", value):
        raise PermanentError("invalid_metadata", what=f"{key} has no digit.")
    return value.lower() if key == "line_of_business" else value


def _checked_date(value: str) -> str:
    german = _GERMAN_DATE.fullmatch(value)
    try:
        day = date(int(german[3]), int(german[2]), int(german[1])) if german else date.fromisoformat(value)
    except ValueError:
        raise PermanentError("invalid_metadata", what="date is not a day such as 2024-07-03.") from None
    return day.isoformat()
