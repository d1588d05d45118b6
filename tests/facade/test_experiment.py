"""Experiments: names, lists, tags, and the doors to runs."""

from __future__ import annotations

from typing import Any

import pytest

import azureml._submission
from azureml.core import Experiment, Workspace
from azureml.core.experiment import ViewType
from azureml.exceptions import NotSupportedByFacade, UserErrorException
from tests.facade.surface import names, problems
from tests.server.harness import Harness


@pytest.mark.parametrize(("module", "name"), [("azureml.core", "Experiment"), *names("azureml.core.experiment")])
def test_it_has_the_original_s_constructor_and_members(module: str, name: str) -> None:
    assert problems(module, name) == []


def test_an_experiment_is_there_as_soon_as_it_is_made(ws: Workspace) -> None:
    experiment = Experiment(ws, "newsgroups_train_hypertune_cpu")

    assert list(ws.experiments) == ["newsgroups_train_hypertune_cpu"]
    assert Experiment(workspace=ws, name="newsgroups_train_hypertune_cpu").id == experiment.id
    assert (experiment.name, experiment.workspace, experiment.workspace_object) == (
        "newsgroups_train_hypertune_cpu",
        ws,
        ws,
    )
    assert repr(experiment) == "Experiment(Name: newsgroups_train_hypertune_cpu,\nWorkspace: old-workspace)"
    assert list(experiment.get_runs()) == []


@pytest.mark.parametrize("name", ["a", "1st", "x" * 255, "with-hyphen_and_line"])
def test_names_that_the_original_took_are_taken(ws: Workspace, name: str) -> None:
    assert Experiment(ws, name).name == name


@pytest.mark.parametrize("name", ["", "-a", "with.dot", "with blank", "x" * 256, None])
def test_names_that_the_original_refused_are_the_user_s_error(name: Any) -> None:
    with pytest.raises(UserErrorException, match="1 to 255"):
        Experiment(Workspace("s", "r", "w"), name)


def test_an_archived_experiment_is_in_the_other_list(ws: Workspace, harness: Harness) -> None:
    first = Experiment(ws, "first")
    harness.clock.advance(10)
    second = Experiment(ws, "second")
    assert [one.name for one in Experiment.list(ws)] == ["second", "first"]
    assert first.archived_time is None

    first.archive()

    assert first.archived_time is not None
    assert [one.name for one in Experiment.list(ws)] == ["second"]
    assert [one.name for one in Experiment.list(ws, view_type=ViewType.ArchivedOnly)] == ["first"]
    assert [one.name for one in Experiment.list(ws, view_type="All", experiment_name="first")] == ["first"]
    with pytest.raises(UserErrorException, match="ActiveOnly"):
        Experiment.list(ws, view_type="some")
    first.reactivate()
    assert first.archived_time is None
    assert first.tags == {}
    with pytest.raises(UserErrorException, match="keeps its name"):
        second.reactivate(new_name="third")


def test_tags_are_merged_removed_and_searched(ws: Workspace) -> None:
    experiment = Experiment(ws, "tagged")
    Experiment(ws, "plain")

    experiment.tag("team", "red")
    experiment.set_tags({"round": 2, "open": None})

    assert experiment.tags == {"team": "red", "round": "2", "open": ""}
    for wanted in ("team", ["team", "round"], {"team": "red"}, {"round": 2}, [("team", "red")]):
        assert [one.name for one in Experiment.list(ws, tags=wanted)] == ["tagged"], wanted
    assert Experiment.list(ws, tags={"team": "blue"}) == []
    experiment.remove_tags(["team", "open"])
    assert Experiment(ws, "tagged").tags == {"round": "2"}


def test_another_object_sees_changes_after_refresh(ws: Workspace) -> None:
    one, other = Experiment(ws, "same"), Experiment(ws, "same")
    assert other.tags == {}

    one.tag("a", "b")

    assert other.tags == {}
    other.refresh()
    assert other.tags == {"a": "b"}


def test_an_experiment_is_deleted_by_its_id(ws: Workspace) -> None:
    experiment = Experiment(ws, "old")

    Experiment.delete(ws, experiment.id)

    assert ws.experiments == {}
    with pytest.raises(UserErrorException, match="no experiment with the id"):
        Experiment.delete(ws, experiment.id)


def test_its_page_is_the_history_of_its_runs(ws: Workspace) -> None:
    experiment = Experiment(ws, "trying")

    assert experiment.get_portal_url() == experiment.portal_url == "http://127.0.0.1/runs?experiment=trying"
    assert "runs?experiment=trying" in experiment._repr_html_()


def test_its_runs_are_found(ws: Workspace, harness: Harness) -> None:
    harness.cluster()
    run = harness.submit(harness.script())

    experiment = ws.experiments["trying"]

    assert [one.id for one in experiment.get_runs()] == [run.id]
    assert ws.get_run(run.id).experiment.name == "trying"


def test_submit_hands_everything_on(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def submit(experiment: Experiment, config: object, tags: object = None, **kwargs: object) -> str:
        seen.extend([experiment.name, config, tags, kwargs])
        return "the run"

    monkeypatch.setattr(azureml._submission, "submit", submit)

    assert Experiment(ws, "trying").submit("config", tags={"a": "b"}, show_output=True) == "the run"
    assert seen == ["trying", "config", {"a": "b"}, {"show_output": True}]


def test_attached_folders_are_refused_in_a_sentence() -> None:
    with pytest.raises(NotSupportedByFacade, match="not attached"):
        Experiment.from_directory(".")
