"""Serial numbers of spreadsheets as dates and times."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from ingest_assets.domain.text.number_codes import Item, literal

LAST_DAY = 2_958_466
DAY_BEFORE_1900 = datetime(1899, 12, 31)  # noqa: DTZ001  spreadsheets know no time zones
FIRST_DAY_SINCE_1904 = datetime(1904, 1, 1)  # noqa: DTZ001
LEAP_DAY_THAT_NEVER_WAS = 60
"""29 February 1900, which spreadsheets count since the first of them did."""
SECONDS_A_DAY = 86_400
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def shown_date(items: Sequence[Item], value: float, *, since_1904: bool) -> str | None:
    """Return what is shown of a serial number, or None if it is no date."""
    if not 0 <= value < LAST_DAY:
        return None
    places = _second_places(items)
    moment = _moment(value, since_1904=since_1904)
    seconds = round(value * SECONDS_A_DAY)
    is_halved = any(item.kind == "noon" for item in items)
    made = []
    for at, item in enumerate(items):
        match item.kind:
            case "date":
                made.append(_field(item.text, moment, is_minute=_is_minute(items, at), is_halved=is_halved))
            case "elapsed":
                unit = {"h": 3600, "m": 60, "s": 1}[item.text[0]]
                made.append(f"{seconds // unit:0{len(item.text)}}")
            case "noon":
                sign = "AM" if moment.hour < 12 else "PM"  # noqa: PLR2004
                made.append(sign if len(item.text) > len("A/P") else sign[0])
            case "digit":
                made.append("")
            case "point" if at in places:
                made.append(f".{moment.microsecond:06}"[: places[at] + 1])
            case _:
                made.append(literal(item))
    return "".join(made).strip()


def _second_places(items: Sequence[Item]) -> dict[int, int]:
    """Return how many digits each point behind seconds is followed by."""
    places = {}
    for at, item in enumerate(items):
        if item.kind == "point" and at + 1 < len(items) and items[at + 1].kind == "digit":
            end = next((end for end in range(at + 1, len(items)) if items[end].kind != "digit"), len(items))
            places[at] = min(end - at - 1, 6)
    return places


def _moment(value: float, *, since_1904: bool) -> datetime:
    """Return the moment, to the millisecond, so that no minute is lost to the last bits of a fraction."""
    before = FIRST_DAY_SINCE_1904 if since_1904 else DAY_BEFORE_1900
    days = timedelta(days=-1 if value >= LEAP_DAY_THAT_NEVER_WAS and not since_1904 else 0)
    return before + days + timedelta(milliseconds=round(value * SECONDS_A_DAY * 1000))


def _is_minute(items: Sequence[Item], at: int) -> bool:
    """Return whether m stands for minutes: behind hours, or before seconds."""
    times = [other for other in range(len(items)) if items[other].kind in {"date", "elapsed"}]
    place = times.index(at)
    before = items[times[place - 1]].text[0] if place else ""
    after = items[times[place + 1]].text[0] if place + 1 < len(times) else ""
    return before == "h" or after == "s"


def _field(field: str, moment: datetime, *, is_minute: bool, is_halved: bool) -> str:
    count = len(field)
    match field[0]:
        case "y" | "e":
            return f"{moment.year % 100:02}" if field[0] == "y" and count <= 2 else str(moment.year)  # noqa: PLR2004
        case "m" if is_minute and count <= 2:  # noqa: PLR2004
            return f"{moment.minute:0{count}}"
        case "m":
            name = MONTHS[moment.month - 1]
            return _named(moment.month, name, count)
        case "d":
            return _named(moment.day, DAYS[moment.weekday()], count)
        case "h":
            hour = (moment.hour % 12 or 12) if is_halved else moment.hour
            return f"{hour:0{min(count, 2)}}"
        case _:
            return f"{moment.second:0{min(count, 2)}}"


def _named(number: int, name: str, count: int) -> str:
    """Return a month or a day: as a number, shortened, in full, or as one letter."""
    return (f"{number}", f"{number:02}", name[:3], name, name[:1])[min(count, 5) - 1]
