"""Logged rows, tables, lists, images and matrices in the form in which the run's page shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sublight.messages.runs import RecordView

ROWS_MAX = 200


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One thing to show. ``form`` is table, image, chart or text; ``number`` is the record's place in the run."""

    form: str
    name: str
    number: int
    step: int | None = None
    columns: list[str] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)
    rows_count: int = 0
    path: str = ""
    content: Any = None


def to_show(records: Sequence[RecordView]) -> list[Shown]:
    """Rows of one name become one table; everything else keeps its own place, in the order it was logged."""
    shown: list[Shown] = []
    rows_of: dict[str, list[RecordView]] = {}
    for record in records:
        if record.kind == "row":
            rows_of.setdefault(record.name, []).append(record)
    done: set[str] = set()
    for number, record in enumerate(records):
        if record.kind != "row":
            shown.append(_one(number, record))
        elif record.name not in done:
            done.add(record.name)
            shown.append(_rows(number, record.name, rows_of[record.name]))
    return shown


def _one(number: int, record: RecordView) -> Shown:
    content = record.content
    if record.kind == "image" and isinstance(content, Mapping):
        path = str(content.get("path", ""))
        return Shown(form="image", name=record.name, number=number, step=record.step, path=path)
    if record.kind == "confusion_matrix":
        return Shown(form="chart", name=record.name, number=number, step=record.step)
    if record.kind == "list" and isinstance(content, list) and len(content) > 1 and _are_numbers(content):
        return Shown(form="chart", name=record.name, number=number, step=record.step)
    if record.kind == "table" and isinstance(content, Mapping):
        return _table(number, record, content)
    return Shown(form="text", name=record.name, number=number, step=record.step, content=content)


def _table(number: int, record: RecordView, content: Mapping[str, Any]) -> Shown:
    columns = {str(name): items if isinstance(items, list) else [items] for name, items in content.items()}
    count = max((len(items) for items in columns.values()), default=0)
    rows = [
        [items[place] if place < len(items) else None for items in columns.values()]
        for place in range(min(count, ROWS_MAX))
    ]
    return Shown(
        form="table", name=record.name, number=number, step=record.step, columns=list(columns), rows=rows,
        rows_count=count,
    )  # fmt: skip


def _rows(number: int, name: str, records: Sequence[RecordView]) -> Shown:
    contents = [record.content if isinstance(record.content, Mapping) else {} for record in records]
    columns = list(dict.fromkeys(str(column) for content in contents for column in content))
    rows = [[content.get(column) for column in columns] for content in contents[:ROWS_MAX]]
    return Shown(form="table", name=name, number=number, columns=columns, rows=rows, rows_count=len(records))


def _are_numbers(items: Sequence[object]) -> bool:
    return all(isinstance(item, int | float) and not isinstance(item, bool) for item in items)
