"""Logged records in the form in which a run's page shows them."""

from __future__ import annotations

import pytest

from sublight.portal.pages.sweep import in_words
from sublight.portal.records import to_show
from tests.unit.portal.portal_sample import RecordView


def record(kind: str, content: object, name: str = "x") -> RecordView:
    return RecordView(name=name, kind=kind, step=None, time=0.0, content=content)


def test_rows_of_one_name_become_one_table_with_all_columns():
    shown = to_show([record("row", {"a": 1}), record("list", [1, 2]), record("row", {"b": 2})])

    assert [item.form for item in shown] == ["table", "chart"]
    assert shown[0].columns == ["a", "b"]
    assert shown[0].rows == [[1, None], [None, 2]]


def test_a_long_table_is_cut_and_says_how_long_it_is():
    (shown,) = to_show([record("table", {"a": list(range(1000))})])

    assert (len(shown.rows), shown.rows_count) == (200, 1000)


@pytest.mark.parametrize(
    ("kind", "content", "form"),
    [
        ("list", ["a", "b"], "text"), ("list", [1], "text"), ("image", {"path": "a.png"}, "image"),
        ("confusion_matrix", {}, "chart"), ("residuals", {}, "text"), ("image", None, "text"), ("table", None, "text"),
    ],
)  # fmt: skip
def test_each_kind_has_its_form(kind, content, form):
    assert to_show([record(kind, content)])[0].form == form


def test_a_definition_reads_as_a_call():
    nested = {"type": "choice", "values": ["sgd", {"lr": {"type": "uniform", "low": 0, "high": 1}}]}

    assert in_words(nested) == "choice(values=['sgd', lr=uniform(low=0, high=1)])"
    assert in_words({"type": "no_termination"}) == "no_termination()"
