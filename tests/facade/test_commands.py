"""``sublight azureml`` on the command line."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Sublight, sublight

__all__ = ["sublight"]  # the fixture


def test_check_prints_a_line_for_each_finding_and_the_sum(sublight: Sublight, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "from azureml.core import Workspace\nws = Workspace.get('a')\nws.sync_keys()\nws.name\n"
    )

    outcome = sublight("azureml", "check", str(tmp_path))

    assert outcome.code == 0
    assert "a.py:3: Workspace.sync_keys not supported: the workspace has no keys" in outcome.out
    assert "a.py:4: Workspace.name" not in outcome.out
    assert "1 file uses the SDK v1" in outcome.out
    assert "a.py:4: Workspace.name works" in sublight("azureml", "check", str(tmp_path), "--all").out


def test_check_prints_json(sublight: Sublight, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import azureml.core\n")

    assert json.loads(sublight("azureml", "check", str(tmp_path), "--json").out)["files"][0]["file"] == "a.py"


def test_check_of_nothing_is_refused_in_one_line(sublight: Sublight, tmp_path: Path) -> None:
    outcome = sublight("azureml", "check", str(tmp_path / "absent"))

    assert outcome.code == 2
    assert outcome.err.count("\n") == 1


def test_a_workspace_for_nothing_is_refused(sublight: Sublight, tmp_path: Path) -> None:
    assert sublight("azureml", "check", str(tmp_path), "--in-workspace").code == 2


def test_list_prints_the_document(sublight: Sublight) -> None:
    assert sublight("azureml", "list").out == (Path(__file__).parents[2] / "docs" / "azureml.md").read_text()


def test_coverage_counts_what_people_use(sublight: Sublight) -> None:
    outcome = sublight("azureml", "coverage")

    assert "names in scope that public HyperDrive scripts and notebooks are counted to use" in outcome.out
    assert "HyperDriveConfig: " in outcome.out


def test_coverage_prints_json(sublight: Sublight) -> None:
    found = json.loads(sublight("azureml", "coverage", "--json").out)

    assert found["used_in_sweeps"].get("refused", 0) == 0
    assert found["keywords"]["refused"] == 1  # resume_child_runs of HyperDriveConfig


def test_without_the_facade_it_says_what_to_install(sublight: Sublight, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: ())

    outcome = sublight("azureml", "check", ".")

    assert outcome.code == 2
    assert (
        outcome.err
        == "sublight: 'sublight azureml' comes with another package; install it: pip install sublight-azureml\n"
    )


def test_the_packages_own_text_has_no_link_that_is_dead_once_installed() -> None:
    text = (Path(__file__).parents[2] / "azureml_facade" / "README.md").read_text()

    assert "](" not in text
    assert "sublight azureml list" in text


def test_the_list_is_there_as_json(sublight: Sublight) -> None:
    rows = json.loads(sublight("azureml", "list", "--json").out)

    assert {"class", "name", "status", "how"} == set(rows[0])
    assert {"works", "differs", "ignored", "refused"} == {row["status"] for row in rows}
