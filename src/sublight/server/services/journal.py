"""Reading a journal: from the bytes that a script appended to points, records and notes (format: messages/journal)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from sublight.messages.journal import unescape
from sublight.store.metrics import Points

NAME_LENGTH_MAX = 256
RECORD_KINDS = frozenset(
    {"list", "row", "table", "image", "confusion_matrix", "accuracy_table", "residuals", "predictions"}
)


@dataclass(slots=True)
class Entries:
    """What a stretch of a journal holds, by the local id of the child it belongs to (None: the run itself)."""

    points: dict[str | None, dict[str, Points]] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    unreadable_lines: int = 0


def read_entries(data: bytes, count_before: Callable[[str | None, str], int]) -> Entries:
    """Read complete lines. ``count_before(child, name)`` gives how many points a metric has already, to number steps.

    A line that cannot be read is counted and left out; it never stops the others.
    """
    entries = Entries()
    own: dict[str, Points] = entries.points.setdefault(None, {})
    totals: dict[tuple[str | None, str], int] = {}
    for raw in data.decode("utf-8", "replace").split("\n"):
        if not raw:
            continue
        fields = raw.split("\t")
        try:
            kind = fields[0]
            if kind == "m":
                # The hot path: a scalar of the run itself.
                _, name, step, value, time = fields
                points = own.get(name)
                if points is None:
                    points = own[name] = Points.empty()
                if step:
                    points.steps.append(int(step))
                else:
                    key = (None, name)
                    if key not in totals:
                        totals[key] = count_before(None, _name(name))
                    points.steps.append(totals[key] + len(points.steps))
                points.values.append(float(value))
                points.times.append(float(time))
            elif kind == "c":
                _read_child_scalar(entries, fields, totals, count_before)
            elif kind == "r":
                _read_record(entries, raw[2:])
            else:
                entries.unreadable_lines += 1
        except (ValueError, OverflowError, KeyError, TypeError, AttributeError, msgspec.DecodeError):
            entries.unreadable_lines += 1
            _even_out(own)
    entries.points = {child: _with_plain_names(batches) for child, batches in entries.points.items()}
    return entries


def _read_child_scalar(
    entries: Entries,
    fields: list[str],
    totals: dict[tuple[str | None, str], int],
    count_before: Callable[[str | None, str], int],
) -> None:
    _, child, _kind, name, step, value, time = fields
    points = entries.points.setdefault(child, {}).setdefault(name, Points.empty())
    key = (child, name)
    if key not in totals:
        totals[key] = count_before(child, _name(name))
    number, moment = float(value), float(time)
    points.steps.append(int(step) if step else totals[key] + len(points))
    points.values.append(number)
    points.times.append(moment)


def _read_record(entries: Entries, text: str) -> None:
    record = msgspec.json.decode(text.encode())
    kind = record["kind"]
    if kind not in RECORD_KINDS:
        entries.notes.append(record)
        return
    step, moment = record.get("step"), float(record["time"])
    entries.records.append(
        {
            "child": record.get("child"),
            "kind": kind,
            "name": str(record["name"])[:NAME_LENGTH_MAX],
            "step": int(step) if step is not None else None,
            "time": moment if math.isfinite(moment) else 0.0,
            "content": record.get("content"),
        }
    )


def _even_out(batches: dict[str, Points]) -> None:
    """Drop the half of a point that a broken line left behind."""
    for points in batches.values():
        length = min(len(points.steps), len(points.values), len(points.times))
        del points.steps[length:], points.values[length:], points.times[length:]


def _with_plain_names(batches: dict[str, Points]) -> dict[str, Points]:
    return {_name(name): points for name, points in batches.items() if len(points)}


def _name(escaped: str) -> str:
    return unescape(escaped)[:NAME_LENGTH_MAX]
