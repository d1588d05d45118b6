"""``sublight compare``: runs or sweeps side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from sublight.cli.output import duration, number, price, print_json, print_table
from sublight.cli.session import AsJson, workspace_of

if TYPE_CHECKING:
    from sublight.messages.runs import CompareColumn, Comparison


def compare(
    context: typer.Context,
    run_ids: Annotated[list[str], typer.Argument(help="Two or more runs or sweeps.", show_default=False)],
    metric: Annotated[
        str | None, typer.Option(help="Compare by this metric; else by the sweeps' own.", metavar="NAME")
    ] = None,
    is_minimized: Annotated[bool, typer.Option("--minimize", help="Less of that metric is better.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare runs or sweeps side by side.

    Wall time, node time, price, time per trial, best value, and the time and price to the same value. Plain runs have
    no metric of their own to be compared by; name one with --metric.

    \b
    Example:
      sublight compare sweep-abcd2345 sweep-efgh6789
    """
    direction = "minimize" if is_minimized else None
    comparison = workspace_of(context).compare(*run_ids, metric=metric, direction=direction)
    if as_json:
        print_json(comparison)
        return
    rows = [(name, *(read(column) for column in comparison.columns)) for name, read in _rows(comparison)]
    headings = ("", *(column.run_id for column in comparison.columns))
    print_table(headings, [row for row in rows if any(row[1:])])
    if comparison.verdict:
        print(f"\n{comparison.verdict}")


def _rows(comparison: Comparison) -> list[tuple[str, Callable[[CompareColumn], str]]]:
    metric = comparison.metric or "best value"
    common = f"{metric} {number(comparison.common_value)}"
    return [
        ("kind", lambda one: one.kind),
        ("experiment", lambda one: one.experiment),
        ("on", lambda one: one.target),
        ("size", lambda one: one.size),
        ("nodes at most", lambda one: str(one.nodes_max)),
        ("status", lambda one: one.status),
        ("wall time", lambda one: duration(one.wall_seconds)),
        ("node time", lambda one: duration(one.node_seconds)),
        ("price", lambda one: price(one.price)),
        ("trials", lambda one: _trials(one)),
        ("time per trial", lambda one: duration(one.seconds_per_trial)),
        ("spent starting", lambda one: "" if one.startup_share is None else f"{one.startup_share:.0%}"),
        (f"best {comparison.metric}" if comparison.metric else metric, lambda one: number(one.best_value)),
        ("best trial", lambda one: one.best_run_id or ""),
        (f"time to {common}", lambda one: duration(one.seconds_to_common_value)),
        (f"price to {common}", lambda one: price(one.price_to_common_value)),
    ]


def _trials(column: CompareColumn) -> str:
    if not column.trials_count:
        return ""
    early = f", {column.trials_stopped_early} stopped early" if column.trials_stopped_early else ""
    return f"{column.trials_count}{early}"
