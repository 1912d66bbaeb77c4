"""Numbers as people read them."""

MOST_PRECISE = 10
"""From so many seconds on, tenths are not shown."""
THOUSAND = 1000
CENT = 10_000
"""In micro-dollars."""
NEARLY_ALL = 0.9995


def share(part: float, whole: float) -> str:
    """Return a share in percent, or a dash if there is no whole."""
    return percent(part / whole) if whole else "–"


def percent(value: float) -> str:
    """Return a share in percent. What is not all is never shown as all."""
    if NEARLY_ALL <= value < 1:
        return "99.9 %"
    return f"{value * 100:.0f} %" if value in (0, 1) else f"{value * 100:.1f} %"


def usd(micro_usd: float) -> str:
    """Return US dollars: in cents, or more precisely below one."""
    dollars = micro_usd / 1_000_000
    return f"${dollars:.6f}" if 0 < micro_usd < CENT else f"${dollars:,.2f}"


def number(value: float) -> str:
    return f"{value:,.0f}"


def seconds(value: float) -> str:
    """Return a short time: in milliseconds below one second."""
    if value < 1:
        return f"{value * THOUSAND:.0f} ms"
    return f"{value:.1f} s" if value < MOST_PRECISE else f"{value:,.0f} s"


def size(value: float) -> str:
    """Return bytes in their largest unit."""
    for unit in ("B", "kB", "MB", "GB"):
        if value < THOUSAND:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= THOUSAND
    return f"{value:.1f} TB"
