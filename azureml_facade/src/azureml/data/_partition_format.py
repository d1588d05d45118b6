"""Columns out of paths: ``partition_format='/{Country}/{Day:yyyy/MM/dd}/data.csv'``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from azureml.exceptions import UserErrorException

_KEY = re.compile(r"\{([^{}:]+)(?::([^{}]*))?\}")
_DATE_PARTS = {
    "yyyy": ("year", 4),
    "MM": ("month", 2),
    "dd": ("day", 2),
    "HH": ("hour", 2),
    "mm": ("minute", 2),
    "ss": ("second", 2),
}
_DATE_PART = re.compile("|".join(_DATE_PARTS))


@dataclass(frozen=True, slots=True)
class PartitionFormat:
    """A format that was read; ``keys`` are the columns in their order, each with whether it is a date."""

    keys: tuple[tuple[str, bool], ...]
    expression: re.Pattern[str]

    def values(self, path: str) -> dict[str, Any] | None:
        """The values in ``path``; None when the path does not have this form. The form is matched with its end."""
        found = self.expression.search(path)
        if found is None:
            return None
        groups = found.groupdict()
        values: dict[str, Any] = {}
        for number, (key, is_date) in enumerate(self.keys):
            if not is_date:
                values[key] = groups[f"k{number}"]
                continue
            parts = {name: int(groups.get(f"k{number}{name}") or low) for name, low in _LOWEST.items()}
            try:
                values[key] = datetime(**parts)  # type: ignore[arg-type]  # mypy does not see that no tzinfo is among them
            except ValueError:
                return None
        return values


_LOWEST = {"year": 1, "month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0}


def read_partition_format(text: str) -> PartitionFormat:
    """Read a format; UserErrorException when it names no column or a column twice."""
    keys: list[tuple[str, bool]] = []
    written = []
    at = 0
    for found in _KEY.finditer(text):
        written.append(_literal(text[at : found.start()]))
        name, date_form = found.group(1).strip(), found.group(2)
        if name in dict(keys):
            raise UserErrorException(f"partition_format names the column {name!r} twice")
        number = len(keys)
        keys.append((name, date_form is not None))
        written.append(f"(?P<k{number}>[^/]*?)" if date_form is None else _date(date_form, number))
        at = found.end()
    if not keys:
        raise UserErrorException(f"partition_format must name columns like {{column}}, got {text!r}")
    written.append(_literal(text[at:]))
    return PartitionFormat(tuple(keys), re.compile("(?:^|(?<=/)|(?=/))" + "".join(written) + "$"))


def _date(form: str, number: int) -> str:
    written = []
    at = 0
    for found in _DATE_PART.finditer(form):
        name, digits = _DATE_PARTS[found.group()]
        written.append(_literal(form[at : found.start()]))
        written.append(f"(?P<k{number}{name}>\\d{{1,{digits}}})")
        at = found.end()
    if not written:
        raise UserErrorException(f"a date in partition_format is made of yyyy, MM, dd, HH, mm and ss, got {form!r}")
    return "".join(written) + _literal(form[at:])


def _literal(text: str) -> str:
    return "".join(
        ".*" if part == "**" else "[^/]*" if part == "*" else re.escape(part) for part in re.split(r"(\*\*?)", text)
    )
