"""The figures of Sublight: functions from messages to Plotly figures, the same ones in the portal and in notebooks.

Figures carry no fixed light or dark colours for text and grid: the paper is transparent and greys are chosen to read
on both; the portal's script sets exact ones. Only SVG traces are used, because Plotly's WebGL traces build code from
text, which the portal's content security policy forbids. Many trials share few traces, separated by gaps, so that a
sweep of a thousand trials stays quick to draw.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from sublight.core.metric import Direction, Goal
from sublight.messages.runs import CompareColumn, EventView, MetricSeries, RecordView, RunView, TrialCurve

# Okabe and Ito's colours, told apart with every common form of colour blindness; none is lost on white or near-black.
BLUE, ORANGE, GREEN, VERMILION = "#2f86c6", "#e08a00", "#009e73", "#d55e00"
PURPLE, SKY, GREY = "#cc79a7", "#56b4e9", "#8a9099"
PALETTE = (BLUE, ORANGE, GREEN, PURPLE, VERMILION, SKY, "#b7a300", GREY)
# One hue from pale to deep for matrices: it needs no colour names to be read, and survives a black-and-white print.
HEAT = ((0.0, "rgba(47,134,198,0.04)"), (0.5, "rgba(47,134,198,0.45)"), (1.0, "rgba(24,90,150,1)"))
POOR_TO_GOOD = ("#cfa05a", "#c0a684", "#a7a9a3", "#86a8bd", "#5fa3d0", "#3b94d9", "#1a7fd4")


def best_so_far(
    curves: Sequence[TrialCurve], goal: Goal, *, over: str = "time", origin: float | None = None
) -> go.Figure:
    """The best value of the primary metric as the sweep went on, with every trial's own best as a dot.

    ``over`` is ``time`` (minutes since ``origin``, or since the first report) or ``trials`` (the trials' indexes).
    """
    figure = _figure(y=goal.metric, x="minutes since the start" if over == "time" else "trial")
    bests = [best for best in (_trial_best(curve, goal) for curve in curves) if best is not None]
    if over == "time":
        start = origin if origin is not None else min((when for _, when, _ in bests), default=0.0)
        points = sorted(((when - start) / 60, value, curve) for value, when, curve in bests)
    else:
        points = sorted(((float(curve.index), value, curve) for value, _, curve in bests), key=lambda p: p[0])
    for group, name, colour, symbol in _GROUPS:
        members = [point for point in points if _group(point[2]) == group]
        if members:
            figure.add_scatter(
                x=[x for x, _, _ in members],
                y=[y for _, y, _ in members],
                mode="markers",
                name=name,
                marker={"color": colour, "symbol": symbol, "size": 7, "opacity": 0.75},
                customdata=[[curve.run_id, curve.index] for _, _, curve in members],
                hovertemplate="trial %{customdata[1]}: %{y:.4~g}<extra></extra>",
            )
    steps_x, steps_y = _running_best([(x, y) for x, y, _ in points], goal)
    figure.add_scatter(
        x=steps_x,
        y=steps_y,
        mode="lines",
        name="best so far",
        line={"color": BLUE, "width": 2.5, "shape": "hv"},
        hovertemplate="best so far: %{y:.4~g}<extra></extra>",
    )
    return figure


def best_over_time(sweeps: Mapping[str, tuple[Sequence[TrialCurve], float]], goal: Goal) -> go.Figure:
    """Several sweeps' best so far over minutes since each one's start; keys are names, values (curves, origin)."""
    figure = _figure(y=f"best {goal.metric} so far", x="minutes since the start of each")
    for position, (name, (curves, origin)) in enumerate(sweeps.items()):
        points = sorted(((when - origin) / 60, value) for curve in curves for value, when in _improvements(curve, goal))
        x, y = _running_best(points, goal)
        figure.add_scatter(
            x=x, y=y, mode="lines", name=_short(name), line={"color": _colour(position), "width": 2.5, "shape": "hv"},
            hovertemplate="%{y:.4~g} after %{x:.3~g} min<extra></extra>",
        )  # fmt: skip
    return figure


def primary_metric_curves(curves: Sequence[TrialCurve], goal: Goal) -> go.Figure:
    """Every trial's reports of the primary metric by step; trials that the policy ended carry a cross at their end."""
    figure = _figure(y=goal.metric, x="step")
    best = max(
        (curve for curve in curves if _trial_best(curve, goal) is not None),
        key=lambda curve: tuple(-part for part in goal.sort_key(_best_value(curve, goal))),
        default=None,
    )
    for group, name, colour, _ in _GROUPS:
        members = [curve for curve in curves if _group(curve) == group and curve is not best]
        if members:
            _add_curves(figure, members, name=name, colour=colour, width=1.4, opacity=0.55)
    early = [curve for curve in curves if _group(curve) == "early" and curve.steps]
    if early:
        figure.add_scatter(
            x=[curve.steps[-1] for curve in early],
            y=[curve.values[-1] for curve in early],
            mode="markers",
            name="ended here",
            showlegend=False,
            marker={"symbol": "x", "size": 8, "color": ORANGE},
            customdata=[[curve.run_id, curve.index] for curve in early],
            hovertemplate="trial %{customdata[1]} ended early at %{y:.4~g}<extra></extra>",
        )
    if best is not None:
        _add_curves(figure, [best], name=f"best: trial {best.index}", colour=BLUE, width=3, opacity=1)
    return figure


def metric_chart(series: Sequence[MetricSeries], *, title: str = "", over: str = "step") -> go.Figure:
    """Scalar metrics over their step, or over minutes since the first report; NaN and infinities leave gaps."""
    title = title or (series[0].name if series else "")
    figure = _figure(y=title, x="step" if over == "step" else "minutes")
    for position, one in enumerate(series):
        start = one.times[0] if one.times else 0.0
        x = list(one.steps) if over == "step" else [(time - start) / 60 for time in one.times]
        label = one.name if len({other.run_id for other in series}) == 1 else f"{one.run_id} {one.name}"
        figure.add_scatter(
            x=x,
            y=[_plain(value) for value in one.values],
            mode="lines+markers" if len(x) <= 60 else "lines",
            name=_short(label, 48),
            line={"color": _colour(position), "width": 2},
            marker={"size": 5},
            hovertemplate="%{y:.5~g}<extra>%{x:.5~g}</extra>",
        )
    figure.update_layout(showlegend=len(series) > 1)
    return figure


def values_chart(name: str, values: Sequence[object]) -> go.Figure:
    """A logged list (or one column of rows) by position."""
    numbers = [_plain(item) for item in values]
    figure = _figure(y=name, x="position")
    figure.add_scatter(
        x=list(range(len(numbers))), y=numbers, mode="lines+markers" if len(numbers) <= 60 else "lines",
        line={"color": BLUE, "width": 2}, marker={"size": 5}, hovertemplate="%{y:.5~g}<extra>%{x}</extra>",
    )  # fmt: skip
    figure.update_layout(showlegend=False)
    return figure


def confusion_matrix(record: RecordView) -> go.Figure:
    """A heat map of a logged confusion matrix: true classes downwards, predicted ones across.

    ``content`` is Azure ML's schema ``{"data": {"class_labels", "matrix"}}`` or the inner part alone; a content of
    another shape gives an empty figure with a sentence in it.
    """
    figure = _figure(y="true class", x="predicted class")
    labels, matrix = _matrix(record.content)
    if not matrix:
        figure.add_annotation(text="the logged confusion matrix has no rows", showarrow=False)
        return figure
    totals = [sum(row) or 1 for row in matrix]
    shares = [[cell / total for cell in row] for row, total in zip(matrix, totals, strict=True)]
    ticks = [_short(label, 24) for label in labels]
    small = len(matrix) <= 12
    figure.add_heatmap(
        z=shares, x=list(range(len(ticks))), y=list(range(len(ticks))), colorscale=[list(stop) for stop in HEAT],
        zmin=0, zmax=1, xgap=2, ygap=2, showscale=False,
        customdata=[[[cell, ticks[y], ticks[x]] for x, cell in enumerate(row)] for y, row in enumerate(matrix)],
        hovertemplate=(
            "true %{customdata[1]}, predicted %{customdata[2]}<br>%{customdata[0]} (%{z:.1%} of its row)<extra></extra>"
        ),
    )  # fmt: skip
    if small:
        for y, row in enumerate(matrix):
            for x, cell in enumerate(row):
                dark = shares[y][x] > 0.55
                font = {"color": "#ffffff"} if dark else {}
                figure.add_annotation(x=x, y=y, text=f"{cell:g}", showarrow=False, font=font)
    positions = list(range(len(ticks)))
    figure.update_xaxes(tickvals=positions, ticktext=ticks, showgrid=False, zeroline=False)
    figure.update_yaxes(tickvals=positions, ticktext=ticks, showgrid=False, zeroline=False, autorange="reversed")
    figure.update_layout(showlegend=False, margin={"l": 10, "r": 10, "t": 16, "b": 10})
    figure.update_xaxes(automargin=True)
    return figure


def parallel_coordinates(trials: Sequence[RunView], goal: Goal, *, axes_max: int = 9) -> go.Figure:
    """Each trial as a line through its parameters to its best value; deep blue lines did best."""
    scored = [trial for trial in trials if trial.best_value is not None and not math.isnan(trial.best_value)]
    names = list(dict.fromkeys(name for trial in scored for name in trial.parameters))[: axes_max - 1]
    figure = _figure()
    if not scored or not names:
        figure.add_annotation(text="no trial has reported yet", showarrow=False)
        return figure
    columns = [_axis([trial.parameters.get(name) for trial in scored]) for name in names]
    columns.append(_axis([trial.best_value for trial in scored]))
    order = sorted(scored, key=lambda trial: goal.sort_key(trial.best_value), reverse=True)
    rank = {trial.id: place for place, trial in enumerate(order)}
    bins: list[list[int]] = [[] for _ in POOR_TO_GOOD]
    for row, trial in enumerate(scored):
        bins[rank[trial.id] * len(bins) // len(scored)].append(row)
    for shade, rows in zip(POOR_TO_GOOD, bins, strict=True):
        x: list[float | None] = []
        y: list[float | None] = []
        for row in rows:
            x += [*range(len(columns)), None]
            y += [*(column[0][row] for column in columns), None]
        figure.add_scatter(x=x, y=y, mode="lines", line={"color": shade, "width": 1.6}, opacity=0.7, hoverinfo="skip")
    for place, (_, marks) in enumerate(columns):
        figure.add_shape(type="line", x0=place, x1=place, y0=0, y1=1, line={"color": GREY, "width": 1})
        for height, text in marks:
            # The outermost marks go beyond the ends of the axis, where no line crosses them.
            beyond = 9 if height == 1 else -9 if height == 0 else 0
            figure.add_annotation(
                x=place, y=height, text=_short(text, 14), showarrow=False, font={"size": 11}, yshift=beyond,
                xanchor="center" if beyond else "left", xshift=0 if beyond else 4,
            )  # fmt: skip
    figure.update_xaxes(
        tickvals=list(range(len(columns))), ticktext=[_short(name, 18) for name in [*names, goal.metric]],
        range=[-0.3, len(columns) - 0.7], showgrid=False, zeroline=False, side="top", automargin=True,
    )  # fmt: skip
    figure.update_yaxes(visible=False, range=[-0.1, 1.1])
    figure.update_layout(showlegend=False, margin={"l": 10, "r": 10, "t": 30, "b": 10})
    return figure


def compare_bars(columns: Sequence[CompareColumn], field: str, title: str) -> go.Figure:
    """One number of a comparison (``wall_seconds``, ``price``, ``best_value`` …) as a bar for each side."""
    figure = _figure(y=title)
    names = [_short(column.run_id) for column in columns]
    figure.add_bar(
        x=names, y=[getattr(column, field) for column in columns],
        marker={"color": [_colour(position) for position in range(len(columns))]},
        width=0.5, hovertemplate="%{y:.4~g}<extra>%{x}</extra>",
    )  # fmt: skip
    figure.update_xaxes(showgrid=False, title=None)
    figure.update_layout(showlegend=False)
    return figure


def node_count(events: Iterable[EventView], *, now: float) -> go.Figure:
    """How many nodes a cluster had and how many it wanted, over time, from its events; ``now`` closes the lines.

    Reads ``node`` events (``inputs``: node, to) and ``scaling`` events (``inputs``: to); of a cluster whose early events
    are not given, nodes are counted from their first event on.
    """
    present: set[str] = set()
    had: list[tuple[float, int]] = []
    wanted: list[tuple[float, int]] = []
    for event in sorted(events, key=lambda event: event.number):
        if event.kind == "node" and "node" in event.inputs:
            before = len(present)
            node = str(event.inputs["node"])
            (present.discard if event.inputs.get("to") == "gone" else present.add)(node)
            if len(present) != before or not had:
                had.append((event.time, len(present)))
        elif event.kind == "scaling" and isinstance(event.inputs.get("to"), int):
            wanted.append((event.time, event.inputs["to"]))
    figure = _figure(y="nodes")
    for name, points, line, fill in (
        ("there", had, {"color": BLUE, "width": 2, "shape": "hv"}, "tozeroy"),
        ("wanted", wanted, {"color": ORANGE, "width": 2, "shape": "hv", "dash": "dot"}, "none"),
    ):
        if points:
            points.append((now, points[-1][1]))
            figure.add_scatter(
                x=[when * 1000 for when, _ in points], y=[count for _, count in points], mode="lines", name=name,
                line=line, fill=fill, fillcolor="rgba(47,134,198,0.15)", hovertemplate="%{y} " + name + "<extra></extra>",
            )  # fmt: skip
    figure.update_xaxes(type="date")
    figure.update_yaxes(rangemode="tozero", tickformat="d")
    return figure


def goal_of(run: RunView) -> Goal | None:
    """The goal of a sweep, or None when the run is not one."""
    return Goal(run.sweep.metric, Direction(run.sweep.direction)) if run.sweep is not None else None


# Group of a trial: key, legend, colour, symbol of its dot. Later groups are drawn over earlier ones.
_GROUPS = (
    ("early", "ended early", ORANGE, "x-thin-open"),
    ("bad", "failed or canceled", VERMILION, "triangle-down"),
    ("done", "completed", GREY, "circle"),
    ("active", "running", GREEN, "diamond"),
)


def _group(curve: TrialCurve) -> str:
    if curve.end_reason == "policy":
        return "early"
    if curve.status == "completed":
        return "done"
    return "bad" if curve.status in ("failed", "canceled") else "active"


def _figure(*, x: str = "", y: str = "") -> go.Figure:
    figure = go.Figure()
    line = {"gridcolor": "rgba(128,136,148,0.22)", "zerolinecolor": "rgba(128,136,148,0.35)", "automargin": True}
    figure.update_layout(
        template=go.layout.Template(),
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 12, "color": "#7a828e"},
        margin={"l": 10, "r": 10, "t": 16, "b": 10},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hovermode="closest",
        xaxis={"title": {"text": x}, **line},
        yaxis={"title": {"text": _short(y, 40)}, **line},
    )
    return figure


def _add_curves(
    figure: go.Figure, curves: Sequence[TrialCurve], *, name: str, colour: str, width: float, opacity: float
) -> None:
    x: list[int | None] = []
    y: list[float | None] = []
    who: list[list[object]] = []
    for curve in curves:
        x += [*curve.steps, None]
        y += [*(_plain(value) for value in curve.values), None]
        who += [[curve.run_id, curve.index]] * (len(curve.steps) + 1)
    # A single report draws no line, so curves that short are shown by their points.
    mode = "lines+markers" if all(len(curve.steps) < 3 for curve in curves) else "lines"
    figure.add_scatter(
        x=x, y=y, mode=mode, name=name, line={"color": colour, "width": width}, opacity=opacity, customdata=who,
        hovertemplate="trial %{customdata[1]}, step %{x}: %{y:.4~g}<extra></extra>", connectgaps=False,
    )  # fmt: skip


def _best_value(curve: TrialCurve, goal: Goal) -> float | None:
    return goal.best(value for value in curve.values if value is not None and math.isfinite(value))


def _trial_best(curve: TrialCurve, goal: Goal) -> tuple[float, float, TrialCurve] | None:
    """A trial's best value, when it was reported, and the trial."""
    best: tuple[float, float, TrialCurve] | None = None
    for value, when in _improvements(curve, goal):
        best = (value, when, curve)
    return best


def _improvements(curve: TrialCurve, goal: Goal) -> Iterable[tuple[float, float]]:
    best: float | None = None
    for value, when in zip(curve.values, curve.times, strict=True):
        if value is not None and math.isfinite(value) and goal.is_better(value, best):
            best = value
            yield value, when


def _running_best(points: Sequence[tuple[float, float]], goal: Goal) -> tuple[list[float], list[float]]:
    x: list[float] = []
    y: list[float] = []
    best: float | None = None
    for at, value in points:
        if goal.is_better(value, best):
            best = value
        if best is not None:
            x.append(at)
            y.append(best)
    return x, y


def _plain(value: object) -> float | None:
    """A finite number, or None: JSON and Plotly know neither NaN nor infinity."""
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    return None


def _matrix(content: Any) -> tuple[list[str], list[list[float]]]:
    inner = content.get("data", content) if isinstance(content, Mapping) else {}
    rows = inner.get("matrix") if isinstance(inner, Mapping) else None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) for row in rows):
        return [], []
    width = len(rows)
    matrix = [[_plain(cell) or 0.0 for cell in row][:width] + [0.0] * (width - len(row)) for row in rows]
    given = inner.get("class_labels")
    labels = [str(label) for label in given] if isinstance(given, list) else []
    return (labels + [str(place) for place in range(len(labels), len(matrix))])[: len(matrix)], matrix


def _axis(values: Sequence[object]) -> tuple[list[float], list[tuple[float, str]]]:
    """Heights in 0..1 for one axis of parallel coordinates, and the marks to write on it.

    Numbers spread linearly, or by their logarithm when they span more than a factor of 50; few or non-numeric values
    get one place each.
    """
    distinct = sorted({str(value) for value in values}, key=lambda text: (_number_or_inf(text), text))
    numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    if not numeric or len(distinct) <= 4:
        gap = max(len(distinct) - 1, 1)
        places = {text: (place / gap if len(distinct) > 1 else 0.5) for place, text in enumerate(distinct)}
        return [places[str(value)] for value in values], [(places[text], text) for text in distinct]
    numbers = [float(value) for value in values]  # type: ignore[arg-type]  # just checked to be numbers
    low, high = min(numbers), max(numbers)
    if low > 0 and high / low > 50:
        heights = [math.log(one / low) / math.log(high / low) for one in numbers]
    else:
        heights = [(one - low) / (high - low or 1) for one in numbers]
    return heights, [(0.0, f"{low:.3g}"), (1.0, f"{high:.3g}")]


def _number_or_inf(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.inf


def _colour(position: int) -> str:
    return PALETTE[position % len(PALETTE)]


def _short(text: str, characters_max: int = 28) -> str:
    """Text of users in a figure: shortened, and with nothing in it that Plotly would read as markup."""
    text = text if len(text) <= characters_max else f"{text[: characters_max - 1]}…"
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") if "<" in text else text
