"""The values of a sweep's page: progress, best so far, all trials and the definition in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from sublight.core.metric import Direction, Goal
from sublight.core.run import RunStatus
from sublight.messages.definitions import SnapshotView, SweepDefinition
from sublight.messages.runs import EventView, RunView, SweepProgress
from sublight.portal.formats import shell_word, value
from sublight.portal.page import Elsewhere, Page
from sublight.portal.ports import Services

TRIALS_SHOWN = 100


@dataclass(frozen=True)
class Column:
    """A column of the table of trials: its heading, its sort key in the address, and whether it is sorted by it."""

    heading: str
    key: str
    address: str
    is_number: bool
    is_chosen: bool
    is_falling: bool


@dataclass(frozen=True)
class Share:
    """A stretch of the progress bar: how many trials, in which state."""

    family: str
    word: str
    count: int
    percent: float


class SweepPage(Page):
    """The values of a sweep's page."""

    fragments = ("sweep/summary", "sweep/trials", "sweep/events")
    place = "runs"

    def __init__(self, services: Services, run: RunView, query: Mapping[str, str]) -> None:
        assert run.sweep is not None, "only a sweep has a sweep's page"
        self._services = services
        self.run = run
        self.sweep: SweepDefinition = run.sweep
        self.goal = Goal(run.sweep.metric, Direction(run.sweep.direction))
        self.sort = query.get("sort") or "metric"
        self.is_reversed = query.get("order") == "reversed"
        self.shows_all = query.get("trials") == "all"
        self.title = run.name or run.id

    @property
    def elsewhere(self) -> Elsewhere:
        run_id = shell_word(self.run.id)
        return Elsewhere(
            cli=f"sublight watch {run_id}\nsublight run show {run_id}\nsublight run cancel {run_id}",
            sdk=(
                "import sublight as sl\n\nws = sl.Workspace.from_config()\n"
                f"sweep = ws.run({self.run.id!r})\n"
                "sweep.best.id, sweep.best.metrics, sweep.best.arguments"
            ),
        )

    @property
    def is_active(self) -> bool:
        return not RunStatus(self.run.status).is_terminal

    @property
    def progress(self) -> SweepProgress:
        assert self.run.progress is not None, "the server gives every sweep its progress"
        return self.run.progress

    @property
    def trials_ended(self) -> int:
        progress = self.progress
        return (
            progress.trials_completed
            + progress.trials_stopped_early
            + progress.trials_canceled
            + progress.trials_failed
        )

    @property
    def shares(self) -> list[Share]:
        progress = self.progress
        whole = max(progress.trials_max if self.is_active else progress.trials_created, 1)
        counts = (
            ("good", "completed", progress.trials_completed),
            ("early", "ended early", progress.trials_stopped_early),
            ("bad", "failed", progress.trials_failed),
            ("off", "canceled", progress.trials_canceled),
            ("active", "running or waiting", progress.trials_active),
        )
        return [Share(family, word, count, 100 * count / whole) for family, word, count in counts if count]

    @cached_property
    def all_trials(self) -> Sequence[RunView]:
        return self._services.runs.trials(self.run.id)

    @property
    def parameter_names(self) -> list[str]:
        return list(dict.fromkeys(name for trial in self.all_trials for name in trial.parameters))

    @cached_property
    def trials(self) -> list[RunView]:
        """The trials in the chosen order, the first hundred unless all are asked for."""
        ordered = sorted(self.all_trials, key=self._sort_key, reverse=self.is_reversed)
        return ordered if self.shows_all else ordered[:TRIALS_SHOWN]

    @property
    def columns(self) -> list[Column]:
        fixed_before = [("trial", "index"), ("status", "status"), (self.goal.metric, "metric")]
        swept = [(name, f"param:{name}") for name in self.parameter_names]
        return [self._column(*pair) for pair in [*fixed_before, *swept, ("time", "time"), ("why it ended", "end")]]

    @property
    def all_address(self) -> str:
        chosen = {"sort": self.sort, **({"order": "reversed"} if self.is_reversed else {}), "trials": "all"}
        return f"?{urlencode(chosen)}#trials"

    @cached_property
    def snapshot(self) -> SnapshotView:
        return self._services.files.snapshot(self.sweep.trial.snapshot_id)

    @cached_property
    def events(self) -> Sequence[EventView]:
        return self._services.runs.events(f"run:{self.run.id}", 50)[::-1]

    @property
    def space(self) -> list[tuple[str, str]]:
        """Each swept name with its distribution in words."""
        parameters = self.sweep.space.get("parameters", self.sweep.space)
        if isinstance(parameters, Mapping):
            return [(str(name), in_words(item)) for name, item in parameters.items()]
        return [("space", in_words(self.sweep.space))]

    @property
    def sampler(self) -> str:
        return in_words(self.sweep.sampler)

    @property
    def policy(self) -> str:
        return in_words(self.sweep.policy)

    def _column(self, heading: str, key: str) -> Column:
        chosen = self.sort == key
        query = {"sort": key}
        if chosen and not self.is_reversed:
            query["order"] = "reversed"
        is_number = key in ("metric", "time") or key.startswith("param:")
        # Best first is what people want of the metric, so a metric to maximise falls unless it is reversed.
        falls = (key == "metric" and self.goal.direction is Direction.MAXIMIZE) != self.is_reversed
        return Column(heading, key, f"?{urlencode(query)}#trials", is_number, chosen, falls)

    def _sort_key(self, trial: RunView) -> tuple[Any, ...]:
        index = trial.index or 0
        if self.sort == "index":
            return (index,)
        if self.sort in ("status", "end"):
            return (trial.status if self.sort == "status" else trial.end_reason or "", index)
        if self.sort == "time":
            ended = trial.ended if trial.ended is not None else float("inf")
            return (ended - (trial.started or ended) if trial.started else float("inf"), index)
        if self.sort.startswith("param:"):
            return (*_mixed(trial.parameters.get(self.sort.removeprefix("param:"))), index)
        return (*self.goal.sort_key(trial.best_value), index)


def in_words(definition: object) -> str:
    """A distribution, sampler or policy (its ``to_json`` form) as one readable line: ``loguniform(low=1e-5, high=1)``.

    The kind is whatever stands under ``kind``, ``type`` or ``name``; the rest are its arguments.
    """
    if not isinstance(definition, Mapping):
        return value(definition)
    rest = dict(definition)
    kind = next((str(rest.pop(key)) for key in ("kind", "type", "distribution", "name") if key in rest), "")
    arguments = ", ".join(f"{name}={_argument(item)}" for name, item in rest.items() if item is not None)
    return f"{kind}({arguments})" if kind else arguments


def _argument(item: object) -> str:
    if isinstance(item, Mapping):
        return in_words(item)
    if isinstance(item, list | tuple):
        return "[" + ", ".join(_argument(one) for one in item) + "]"
    # Whole numbers as they are typed: a seed is there to be copied.
    return repr(item) if isinstance(item, str | int) else value(item)


def _mixed(item: object) -> tuple[int, float, str]:
    """A key by which numbers sort as numbers, and before text and what is missing."""
    if isinstance(item, int | float) and not isinstance(item, bool) and item == item:
        return (0, float(item), "")
    return (1, 0.0, "" if item is None else str(item))
