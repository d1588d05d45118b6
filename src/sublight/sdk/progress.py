"""Displays for a person who waits: a live table in a terminal, lines elsewhere, the log of a single script."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TextIO

from sublight.core.amounts import seconds_in_words
from sublight.messages.journal import STANDARD_LOG
from sublight.messages.runs import RunView
from sublight.sdk.client import API, Client
from sublight.sdk.logs import LogFollower
from sublight.sdk.picture import (
    Picture,
    best_in_words,
    counts_in_words,
    nodes_in_words,
    outcome_in_words,
    parameters_in_words,
    short_value,
    trials_ended,
)
from sublight.sdk.waiting import Display

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.table import Table
    from rich.text import Text

_LINE_EVERY_SECONDS = 5.0
_ROWS_MAX = 12
_LINES_AROUND_ROWS = 13
_VALUE_WIDTH_MAX = 16

STATUS_STYLES = {
    "completed": "green",
    "running": "cyan",
    "finishing": "cyan",
    "preparing": "blue",
    "queued": "dim",
    "created": "dim",
    "stopping": "yellow",
    "canceled": "yellow",
    "lost": "magenta",
    "failed": "red",
}


def display_for(client: Client, run_id: str) -> Display:
    """The display that fits the run and the place where it is shown."""
    view = client.get(f"{API}/runs/{run_id}", RunView)
    if view.sweep is None:
        return ScriptDisplay(client, run_id)
    from rich.console import Console

    console = Console()
    return LiveDisplay(console) if console.is_terminal and not console.is_dumb_terminal else LineDisplay(sys.stdout)


# Statuses whose reason says what a run waits for.
_WAITING = ("queued", "preparing")


class LineDisplay:
    """A line whenever something of note has changed; trials that merely end share a line every few seconds."""

    def __init__(self, out: TextIO, *, clock: Callable[[], float] = time.time) -> None:
        self._out = out
        self._clock = clock
        self._news: tuple[object, ...] = ()
        self._said_at = 0.0
        self._said = ""

    def show(self, picture: Picture) -> None:
        run, now = picture.run, self._clock()
        best = run.progress.best if run.progress else None
        news = (run.status, best and best.run_id, picture.cluster and nodes_in_words(picture.cluster))
        is_time = now - self._said_at >= _LINE_EVERY_SECONDS
        line = _line_of(picture)
        if news != self._news or picture.is_finished or (is_time and line != self._said):
            self._news, self._said_at, self._said = news, now, line
            self.say(line)

    def say(self, sentence: str) -> None:
        stamp = time.strftime("%H:%M:%S", time.localtime(self._clock()))
        print(f"{stamp}  {printable(sentence)}", file=self._out, flush=True)

    def close(self) -> None:
        pass


def _line_of(picture: Picture) -> str:
    run = picture.run
    if picture.is_finished:
        return outcome_in_words(run)
    parts = [run.status]
    if run.progress is not None:
        parts += [counts_in_words(run.progress), best_in_words(run)]
    if picture.cluster is not None:
        parts.append(nodes_in_words(picture.cluster))
    return " · ".join(parts)


class ScriptDisplay:
    """The log of a single script on standard output; what happens to the run goes to standard error."""

    def __init__(self, client: Client, run_id: str, *, out: TextIO | None = None, notes: TextIO | None = None) -> None:
        self._notes = notes or sys.stderr
        self._follower = LogFollower(client, run_id, STANDARD_LOG, out or sys.stdout)
        self._said = ""

    def show(self, picture: Picture) -> None:
        run = picture.run
        if not picture.is_finished:
            self.say(f"{run.id} is {run.status}" + (f": {run.reason}" if run.status in _WAITING else ""))
        if run.started is not None or picture.is_finished:
            self._follower.write_new(run.attempt)
        if picture.is_finished:
            self._follower.finish()
            self.say(outcome_in_words(run))

    def say(self, sentence: str) -> None:
        if sentence != self._said:
            self._said = sentence
            print(f"sublight: {printable(sentence)}", file=self._notes, flush=True)

    def close(self) -> None:
        pass


class LiveDisplay:
    """A sweep in a terminal: header, nodes, newest trials, the best so far; redrawn in place."""

    def __init__(self, console: Console, *, clock: Callable[[], float] = time.time) -> None:
        from rich.live import Live

        self._console = console
        self._clock = clock
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")
        self._live.start()
        self._is_closed = False

    def show(self, picture: Picture) -> None:
        rows = max(3, min(_ROWS_MAX, self._console.height - _LINES_AROUND_ROWS))
        self._live.update(drawn(picture, now=self._clock(), rows_max=rows), refresh=True)

    def say(self, sentence: str) -> None:
        self._live.console.print(printable(sentence), style="yellow", markup=False, highlight=False)

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._live.stop()


def drawn(picture: Picture, *, now: float, rows_max: int = _ROWS_MAX) -> Group:
    """A picture of a sweep as Rich draws it."""
    from rich.console import Group
    from rich.text import Text

    run = picture.run
    parts: list[object] = [_header(run, now)]
    if run.progress is not None:
        parts += [_bar(run), Text(best_in_words(run), style="bold")]
    if picture.cluster is not None:
        parts.append(_nodes(picture))
    if picture.trials:
        parts.append(_trials(picture, now, rows_max))
    last = run.reason if picture.is_finished else (run.progress.waiting if run.progress else "") or run.reason
    if last:
        parts.append(Text(printable(last), style="dim" if not picture.is_finished else ""))
    return Group(*parts)  # type: ignore[arg-type]  # every part can be drawn


def _header(run: RunView, now: float) -> Text:
    from rich.text import Text

    took = seconds_in_words((run.ended or now) - (run.queued or run.created))
    name = f" {run.name}" if run.name != run.id else ""
    return Text.assemble(
        (run.id, "bold"),
        printable(f"{name}  {run.experiment} on {run.target}  "),
        status_text(run),
        f"  {took}",
    )


def _bar(run: RunView) -> Table:
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    assert run.progress is not None
    grid = Table.grid(padding=(0, 2))
    bar = ProgressBar(total=max(run.progress.trials_max, 1), completed=trials_ended(run.progress), width=30)
    grid.add_row(bar, counts_in_words(run.progress))
    return grid


def _nodes(picture: Picture) -> Group:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    assert picture.cluster is not None
    grid = Table.grid(padding=(0, 2))
    for node in picture.cluster.nodes:
        if node.state != "gone":
            grid.add_row(f"  {node.id}", node.state, printable(", ".join(node.run_ids) or node.reason), style="dim")
    return Group(Text(nodes_in_words(picture.cluster), style="dim"), grid)


def _trials(picture: Picture, now: float, rows_max: int) -> Table:
    from rich.table import Table
    from rich.text import Text

    metric = picture.run.sweep.metric if picture.run.sweep else ""
    rows = [
        (
            Text(str(trial.index)),
            status_text(trial),
            Text("" if trial.best_value is None else short_value(trial.best_value)),
            Text(seconds_in_words((trial.ended or now) - trial.started) if trial.started else ""),
            # Without the cluster's name, which all nodes share; they stand in full above.
            Text((trial.node_id or "").removeprefix(f"{trial.target}-"), no_wrap=True, overflow="ellipsis"),
            Text(printable(parameters_in_words(trial.parameters)), no_wrap=True, overflow="ellipsis"),
        )
        for trial in chosen_trials(picture.trials, rows_max)
    ]
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", expand=False)
    # What a narrow terminal cuts is the parameters and the node: Rich narrows columns that may wrap before others, and
    # their texts do not wrap but end in an ellipsis.
    for position, heading in enumerate(("trial", "status", metric, "time")):
        width = max(len(heading), *(row[position].cell_len for row in rows))
        justify: Literal["left", "right"] = "left" if heading == "status" else "right"
        table.add_column(heading, justify=justify, no_wrap=True, width=min(width, _VALUE_WIDTH_MAX))
    table.add_column("node")
    table.add_column("parameters")
    for row in rows:
        table.add_row(*row)
    return table


def chosen_trials(newest_first: list[RunView], rows_max: int) -> list[RunView]:
    """The trials worth a row: those under way, then the newest of the ended; in index order."""
    active = [trial for trial in newest_first if trial.ended is None]
    ended = [trial for trial in newest_first if trial.ended is not None]
    return sorted([*active, *ended][:rows_max], key=lambda trial: trial.index or 0)


def status_text(run: RunView) -> Text:
    """A run's status in its colour; a trial that the policy ended says so."""
    from rich.text import Text

    word = "stopped early" if run.status == "canceled" and run.end_reason == "policy" else run.status
    return Text(word, style=STATUS_STYLES.get(run.status, ""))


def printable(text: str) -> str:
    """``text`` without control characters: what a run calls itself must not steer the reader's terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
