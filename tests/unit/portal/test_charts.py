"""The figures, from messages to Plotly."""

from __future__ import annotations

import json

import pytest

from sublight.core.metric import maximize, minimize
from sublight.messages.runs import EventView, MetricSeries
from sublight.portal import charts
from tests.unit.portal.portal_sample import START, RecordView, Store, TrialCurve, add_sweep, sample_store


def curve(index: int, values: list[float | None], **changes) -> TrialCurve:
    fields = {
        "run_id": f"s-{index}", "index": index, "status": "completed", "end_reason": "finished",
        "steps": list(range(len(values))), "values": values,
        "times": [START + 60 * (index + step) for step in range(len(values))], **changes,
    }  # fmt: skip
    return TrialCurve(**fields)


def line_of(figure, name: str):
    return next(trace for trace in figure.data if trace.name == name)


@pytest.mark.parametrize(("goal", "expected"), [(maximize("m"), [1, 3, 3]), (minimize("m"), [1, 1, 0])])
def test_best_so_far_only_improves(goal, expected):
    curves = [curve(0, [1.0]), curve(1, [3.0]), curve(2, [0.0])]

    assert list(line_of(charts.best_so_far(curves, goal, over="trials"), "best so far").y) == expected


def test_best_so_far_over_time_counts_minutes_from_the_start():
    figure = charts.best_so_far([curve(0, [0.1, 0.5])], maximize("m"), origin=START)

    assert list(line_of(figure, "best so far").x) == [1.0]


def test_nan_and_missing_values_are_never_the_best():
    figure = charts.best_so_far([curve(0, [None, 0.2, float("nan")])], maximize("m"), over="trials")

    assert list(line_of(figure, "best so far").y) == [0.2]


def test_a_trial_that_was_ended_early_carries_a_cross_at_its_last_report():
    curves = [curve(0, [0.5, 0.9]), curve(1, [0.1, 0.2], status="canceled", end_reason="policy")]

    crosses = line_of(charts.primary_metric_curves(curves, maximize("m")), "ended here")

    assert (crosses.x, crosses.y, crosses.marker.symbol) == ((1,), (0.2,), "x")


def test_a_thousand_trials_take_a_handful_of_traces():
    curves = [curve(index, [0.1, 0.2, 0.3]) for index in range(1000)]

    assert len(charts.primary_metric_curves(curves, maximize("m")).data) <= 5


def test_figures_of_an_empty_sweep_are_figures_all_the_same():
    for figure in (
        charts.best_so_far([], maximize("m")),
        charts.primary_metric_curves([], maximize("m")),
        charts.parallel_coordinates([], maximize("m")),
        charts.node_count([], now=START),
        charts.metric_chart([]),
    ):
        assert json.loads(figure.to_json())["layout"]


def test_no_figure_uses_webgl_which_the_content_policy_forbids():
    store = sample_store()
    sweep = next(run for run in store.runs.values() if run.sweep)
    trials = [run for run in store.runs.values() if run.parent_id == sweep.id]
    figures = [
        charts.best_so_far(store.curves[sweep.id], maximize("accuracy")),
        charts.primary_metric_curves(store.curves[sweep.id], maximize("accuracy")),
        charts.parallel_coordinates(trials, maximize("accuracy")),
    ]

    kinds = {trace.type for figure in figures for trace in figure.data}

    assert kinds <= {"scatter", "bar", "heatmap"}


def test_infinities_leave_gaps_in_a_metric():
    series = MetricSeries(run_id="r", name="loss", count=3, steps=[0, 1, 2], values=["inf", None, 2.0],
                          times=[START, START, START])  # fmt: skip

    assert list(charts.metric_chart([series]).data[0].y) == [None, None, 2.0]


def test_a_confusion_matrix_shows_counts_and_colours_by_share_of_the_row():
    content = {"schema_type": "confusion_matrix", "data": {"class_labels": ["a", "b"], "matrix": [[9, 1], [0, 2]]}}
    record = RecordView(name="c", kind="confusion_matrix", step=None, time=START, content=content)

    figure = charts.confusion_matrix(record)

    assert list(figure.data[0].z[0]) == [0.9, 0.1]
    assert figure.layout.xaxis.ticktext == ("a", "b")
    assert {note.text for note in figure.layout.annotations} == {"9", "1", "0", "2"}


@pytest.mark.parametrize("content", [None, {}, {"data": 1}, {"data": {"matrix": []}}, {"matrix": [[1], [1, 2, 3]]}])
def test_a_confusion_matrix_of_another_shape_does_not_break_the_page(content):
    record = RecordView(name="c", kind="confusion_matrix", step=None, time=START, content=content)

    assert charts.confusion_matrix(record).to_json()


def test_names_of_users_are_no_markup_in_a_figure():
    series = MetricSeries(run_id="r", name="<a href='x'>m</a>", count=1, steps=[0], values=[1.0], times=[START])

    figure = charts.metric_chart([series])

    assert "<" not in figure.layout.yaxis.title.text
    assert "<" not in figure.data[0].name


def test_parallel_coordinates_draw_every_trial_that_has_a_value():
    store = Store()
    sweep = add_sweep(store, "s", seed=1)
    trials = [run for run in store.runs.values() if run.parent_id == sweep.id]

    figure = charts.parallel_coordinates(trials, maximize("accuracy"))

    gaps = sum(list(trace.x).count(None) for trace in figure.data)
    assert gaps == len(trials)
    assert figure.layout.xaxis.ticktext[-1] == "accuracy"


def test_the_number_of_nodes_follows_the_clusters_events():
    told = [
        ("node", 1.0, {"node": "a"}),
        ("scaling", 1.0, {"from": 0, "to": 2}),
        ("node", 2.0, {"node": "b"}),
        ("node", 3.0, {"node": "a", "to": "idle"}),
        ("node", 4.0, {"node": "a", "to": "gone"}),
    ]
    events = [
        EventView(number=number, time=when, subject="cluster:c", kind=kind, reason="r", inputs=inputs)
        for number, (kind, when, inputs) in enumerate(told)
    ]

    there, wanted = charts.node_count(events, now=9.0).data

    assert list(there.y) == [1, 2, 1, 1]
    assert list(there.x) == [1000, 2000, 4000, 9000]
    assert list(wanted.y) == [2, 2]
