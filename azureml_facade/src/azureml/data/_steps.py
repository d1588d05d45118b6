"""The transformations of a dataset, applied in their order when it is read: to rows of a frame or to a list of files."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from azureml.data import _expressions
from azureml.data._column_types import to_dates
from azureml.data.dataset_error_handling import DatasetExecutionError
from azureml.exceptions import UserErrorException

T = TypeVar("T")
Step = Mapping[str, Any]


def new_seed() -> int:
    """A seed where the caller gave none, so that both parts of a split and every reading agree."""
    return random.SystemRandom().randrange(2**31)


def apply_to_frame(frame: Any, steps: Iterable[Step]) -> Any:
    """The frame after all steps; its rows are numbered from 0."""
    before = frame
    for step in steps:
        frame = _apply(frame, step)
    return frame if frame is before else frame.reset_index(drop=True)


def apply_to_files(files: Sequence[T], steps: Iterable[Step], as_row: Any) -> list[T]:
    """The files that are left after all steps; ``as_row`` tells a file's metadata, which ``filter`` asks for."""
    chosen = list(files)
    for step in steps:
        if step["step"] == "filter":
            import pandas as pd

            keep = _expressions.compute(step["expression"], pd.DataFrame([as_row(file) for file in chosen]))
            chosen = [file for file, is_kept in zip(chosen, keep, strict=True) if is_kept] if chosen else []
        else:
            chosen = [chosen[place] for place in _places(step, len(chosen))]
    return chosen


def timestamp_columns(steps: Iterable[Step]) -> tuple[str | None, str | None]:
    """The (timestamp, partition timestamp) columns that the last ``with_timestamp_columns`` named."""
    named: tuple[str | None, str | None] = (None, None)
    for step in steps:
        if step["step"] == "timestamps":
            named = (step["timestamp"], step["partition_timestamp"])
        elif step["step"] in ("keep", "drop"):
            kept = [name if name is None or _survives(name, step) else None for name in named]
            named = (kept[0], kept[1])
    return named


def _survives(name: str, step: Step) -> bool:
    return bool((name in step["columns"]) == (step["step"] == "keep"))


def _apply(frame: Any, step: Step) -> Any:
    kind = step["step"]
    if kind == "keep":
        return frame[_known(frame, step["columns"], "keep_columns")]
    if kind == "drop":
        return frame.drop(columns=[name for name in step["columns"] if name in frame.columns])
    if kind == "filter":
        return frame[_expressions.compute(step["expression"], frame).astype(bool)]
    if kind == "timestamps":
        return _with_dates(frame, [step["timestamp"], step["partition_timestamp"]])
    if kind == "time":
        return _within(frame, step)
    return frame.iloc[_places(step, len(frame))]


def _places(step: Step, count: int) -> Any:
    """Which of ``count`` rows or files a step keeps, by number."""
    kind = step["step"]
    if kind == "take":
        return range(min(int(step["count"]), count))
    if kind == "skip":
        return range(min(int(step["count"]), count), count)
    import numpy as np

    draws = np.random.default_rng(int(step["seed"])).random(count)
    if kind == "sample":
        return np.flatnonzero(draws < step["probability"])
    if kind == "split":
        is_first = draws < step["percentage"]
        return np.flatnonzero(is_first if step["part"] == 0 else ~is_first)
    raise UserErrorException(f"the dataset has a step {kind!r}, which this version does not know")


def _known(frame: Any, columns: Sequence[str], where: str) -> list[str]:
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise DatasetExecutionError(
            f"{where} names {', '.join(map(repr, missing))}, but the dataset has {', '.join(map(str, frame.columns))}"
        )
    return list(columns)


def _with_dates(frame: Any, columns: Sequence[str | None]) -> Any:
    named = _known(frame, [name for name in columns if name is not None], "with_timestamp_columns")
    return frame.assign(**{name: to_dates(frame[name]) for name in named})


def _within(frame: Any, step: Step) -> Any:
    dates = to_dates(frame[_known(frame, [step["column"]], "a time filter")[0]])
    keep = dates.notna()
    if step.get("start") is not None:
        start = datetime.fromisoformat(step["start"])
        keep &= dates >= start if step["include_boundary"] else dates > start
    if step.get("end") is not None:
        end = datetime.fromisoformat(step["end"])
        keep &= dates <= end if step["include_boundary"] else dates < end
    return frame[keep]
