"""Sizes and times in words, the same everywhere a person reads them."""

from __future__ import annotations

_BYTE_UNITS = ("B", "kB", "MB", "GB", "TB")


def bytes_in_words(size_bytes: float) -> str:
    """A size with three figures at most: ``12 kB``, ``1.4 MB``, ``300 MB`` (1 kB is 1,000 B)."""
    size = float(size_bytes)
    unit = 0
    while size >= 999.5 and unit < len(_BYTE_UNITS) - 1:
        size /= 1000
        unit += 1
    figures = f"{size:.1f}" if 0 < size < 9.95 and unit > 0 else f"{size:.0f}"
    return f"{figures} {_BYTE_UNITS[unit]}"


def seconds_in_words(seconds: float) -> str:
    """A length of time as people say it: ``0.4 s``, ``42 s``, ``3 min 05 s``, ``2 h 07 min``, ``3 d 04 h``."""
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600:02d} h"


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """A count with its noun: ``1 file``, ``2,000 files``."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
