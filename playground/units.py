"""Times and amounts in the unit that a person would say them in."""

from playground.text import _

PREFIXES = ("", "k", "M", "G", "T", "P", "E")


def duration(seconds: float) -> str:
    """A time with its unit.

    >>> duration(20.0), duration(1800.0), duration(3.6e5), duration(3.24e8)
    ('20 s', '30 min', '4.2 days', '10.3 years')
    """
    hours = seconds / 3600
    if seconds < 90:
        return _("{count:.0f} s").format(count=seconds)
    if hours < 1.5:
        return _("{count:.0f} min").format(count=60 * hours)
    if hours < 48:
        return _("{count:.1f} h").format(count=hours)
    if hours < 24 * 600:
        return _("{count:.1f} days").format(count=hours / 24)
    return _("{count:,.1f} years").format(count=hours / 24 / 365.25)


def prefixed(amount: float, unit: str) -> str:
    """An amount with the prefix of its unit.

    >>> prefixed(2.64e11, "B"), prefixed(12e3, "Wh"), prefixed(999.9, "FLOP")
    ('264 GB', '12 kWh', '1 kFLOP')
    """
    for prefix in PREFIXES:
        if amount < 999.5:
            return f"{amount:.3g} {prefix}{unit}"
        amount /= 1000
    return f"{1000 * amount:,.0f} {PREFIXES[-1]}{unit}"
