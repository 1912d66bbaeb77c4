"""How long something takes, as people say it."""

from datetime import timedelta


def span(duration: timedelta) -> str:
    """Return a duration in its largest unit, rounded: 45 s, 12 min, 3 h, 2 days."""
    seconds = max(0.0, duration.total_seconds())
    for unit, length, least in (("days", 86_400, 172_800), ("h", 3_600, 7_200), ("min", 60, 120)):
        if seconds >= least:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
