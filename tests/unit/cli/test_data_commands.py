"""The commands over datasets, models, mapped addresses and datastores, against the real server in this process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sublight.sdk.client import Client
from sublight.sdk.endpoint import Endpoint
from sublight.sdk.workspace import Workspace
from sublight.store import tables
from tests.server.harness import Harness, app_over
from tests.server.world import TestClient
from tests.unit.cli.conftest import Sublight

URL = "http://127.0.0.1"
ADDRESS = "https://example.org/data/a.csv?x=1"


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    harness = Harness(tmp_path_factory.mktemp("data") / "root")
    yield harness
    harness.close()


@pytest.fixture(autouse=True)
def workspace(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """What every command talks to; emptied afterwards."""
    token = harness.services.people.ensure_owner(present="")
    http = TestClient(app_over(harness), base_url=URL)
    workspace = Workspace(client=Client(Endpoint(URL, token), http=http, sleep=lambda _: None))
    monkeypatch.setattr(Workspace, "from_config", lambda path=None: workspace)
    yield workspace
    for asset in workspace.assets.list(includes_archived=True):
        asset.delete()
    with harness.services.database.write() as connection:
        connection.execute(tables.asset_names.delete())
    for file in (store := workspace.datastores.default()).files():
        store.remove(file.path)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with some files."""
    for path, text in {
        "a.csv": "x;y\n1;2\n",
        "b.csv": "x;y\n",
        "t.tsv": "x\ty\n",
        "p/1.png": "1",
        "p/q/2.png": "2",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def definition(sublight: Sublight, *arguments: str) -> dict[str, Any]:
    outcome = sublight("dataset", "register", *arguments, "--json")
    assert outcome.err == ""
    return dict(json.loads(outcome.out)["definition"])


def test_a_csv_file_is_a_table(sublight: Sublight, folder: Path) -> None:
    outcome = sublight("dataset", "register", "news", "a.csv")

    assert outcome.out == "tabular dataset news is registered as version 1 (1 file, 8 B)\n"
    assert definition(sublight, "news", "a.csv") == {
        "type": "tabular",
        "format": "delimited",
        "options": {},
        "paths": [{"asset_file": "a.csv"}],
        "steps": [],
    }


def test_how_it_is_read_can_be_said(sublight: Sublight, folder: Path) -> None:
    options = ["--separator", ";", "--no-header", "--encoding", "latin1", "--true-false", "yes-no", "--no-types"]

    assert definition(sublight, "news", "a.csv", "b.csv", *options)["options"] == {
        "separator": ";",
        "header": "none",
        "encoding": "latin1",
        "true_false": "yes-no",
        "infer_column_types": False,
    }
    assert definition(sublight, "news", "a.csv", "--separator", "\\t")["options"] == {"separator": "\t"}


@pytest.mark.parametrize(
    ("file", "form", "options"),
    [
        ("t.tsv", "delimited", {"separator": "\t"}),
        ("x.parquet", "parquet", {}),
        ("x.JSON", "json", {}),
        ("x.jsonl", "json", {}),
    ],
)
def test_a_files_name_says_what_it_is(
    sublight: Sublight, folder: Path, file: str, form: str, options: dict[str, str]
) -> None:
    (folder / file).write_text("{}")

    kept = definition(sublight, "news", file)

    assert (kept["type"], kept["format"], kept["options"]) == ("tabular", form, options)


def test_a_folder_and_other_files_are_files(sublight: Sublight, folder: Path, workspace: Workspace) -> None:
    kept = definition(sublight, "pictures", "p")
    assert (kept["type"], kept["format"], kept["paths"]) == ("file", "files", [{"asset_file": "**"}])
    assert [file.path for file in workspace.assets.get("dataset", "pictures").files()] == ["1.png", "q/2.png"]
    assert definition(sublight, "both", "p", "a.csv")["paths"] == [{"asset_file": "p/**"}, {"asset_file": "a.csv"}]


def test_the_type_can_be_forced(sublight: Sublight, folder: Path) -> None:
    (folder / "a.data").write_text("1,2")

    assert definition(sublight, "news", "a.csv", "--type", "file")["format"] == "files"
    assert definition(sublight, "news", "a.data", "--type", "tabular")["format"] == "delimited"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere.csv"], "there is no file or folder nowhere.csv"),
        (["a.csv", "p/../a.csv"], "have the same name; rename one of them"),
        (["a.csv", "--type", "table"], "--type takes tabular or file, got 'table'"),
        (["a.csv", "--true-false", "maybe"], "--true-false takes words, yes-no, none, got 'maybe'"),
        (["p", "--separator", ";"], "--separator is for tabular datasets of CSV or TSV files"),
        (["p", "--no-header"], "--no-header is for tabular datasets of CSV or TSV files"),
        (["a.csv", "--tag", "red"], "--tag takes KEY=VALUE, got 'red'"),
    ],
)
def test_a_wrong_registration_is_one_line_and_exit_code_2(
    sublight: Sublight, folder: Path, workspace: Workspace, arguments: list[str], sentence: str
) -> None:
    outcome = sublight("dataset", "register", "news", *arguments)

    assert outcome.code == 2
    assert sentence in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert workspace.assets.list() == []


def test_datasets_are_listed_shown_downloaded_and_removed(sublight: Sublight, folder: Path) -> None:
    sublight("dataset", "register", "news", "a.csv", "--tag", "from=web", "--description", "The news.")
    sublight("dataset", "register", "news", "b.csv", "--separator", ";")
    sublight("dataset", "register", "pictures", "p")

    listed = sublight("dataset", "list").out
    assert [line.split()[:2] for line in listed.splitlines()[1:]] == [["pictures", "1"], ["news", "2"]]
    assert "from=web" in sublight("dataset", "list", "--all", "--tag", "from").out
    assert [one["version"] for one in json.loads(sublight("dataset", "list", "--all", "--json").out)] == [1, 2, 1]

    shown = sublight("dataset", "show", "news").out
    assert "news, version 2" in shown
    assert "type tabular, format delimited, separator ;" in shown
    assert "b.csv" in shown
    assert "The news." in sublight("dataset", "show", "news", "--version", "1").out
    assert json.loads(sublight("dataset", "show", "news", "--json").out)["files"][0]["path"] == "b.csv"

    assert sublight("dataset", "download", "pictures").out == "2 files of pictures version 1 written to pictures\n"
    assert (folder / "pictures/q/2.png").read_text() == "2"
    sublight("dataset", "download", "pictures", "q", "--to", "part")
    assert [file.name for file in (folder / "part").rglob("*.png")] == ["2.png"]

    refused = sublight("dataset", "remove", "news")
    assert (refused.code, "has 2 versions; choose one with --version" in refused.err) == (2, True)
    assert sublight("dataset", "remove", "news", "--version", "1").out == "dataset news is removed: version 1\n"
    assert json.loads(sublight("dataset", "remove", "news", "--json").out) == {"removed": "news", "versions": [2]}
    gone = sublight("dataset", "show", "news")
    assert (gone.code, gone.err) == (1, "sublight: there is no dataset 'news' in this workspace\n")


def test_all_versions_go_when_asked(sublight: Sublight, folder: Path) -> None:
    for _ in range(2):
        sublight("dataset", "register", "news", "a.csv")

    assert sublight("dataset", "remove", "news", "--all", "--version", "1").code == 2
    assert sublight("dataset", "remove", "news", "--all").out == "dataset news is removed: version 1, 2\n"


def test_archived_ones_are_shown_when_asked(sublight: Sublight, folder: Path, workspace: Workspace) -> None:
    sublight("dataset", "register", "news", "a.csv")
    workspace.assets.get("dataset", "news").archive()

    assert "news" not in sublight("dataset", "list").out
    assert "news (archived)" in sublight("dataset", "list", "--archived").out


def test_models_are_listed_shown_downloaded_and_removed(sublight: Sublight, folder: Path, workspace: Workspace) -> None:
    workspace.assets.register("model", "clf", files={"model/m.bin": folder / "a.csv"}, properties={"auc": "0.9"})

    assert "clf" in sublight("model", "list").out
    assert "auc=0.9" in sublight("model", "show", "clf").out
    sublight("model", "download", "clf", "--to", "m")
    assert (folder / "m/model/m.bin").is_file()
    assert sublight("model", "remove", "clf").out == "model clf is removed: version 1\n"
    assert sublight("model", "remove", "clf").code == 1


def test_an_address_is_mapped_listed_and_unmapped(sublight: Sublight, folder: Path, workspace: Workspace) -> None:
    assert sublight("data", "map", ADDRESS, "a.csv").out == f"{ADDRESS} now stands for a copy of a.csv\n"
    sublight("data", "map", ADDRESS, "b.csv", "--true-false", "yes-no")

    asset = workspace.assets.get("address", ADDRESS)
    assert (asset.version, [file.path for file in asset.files()]) == (2, ["b.csv"])
    assert asset.definition == {"options": {"true_false": "yes-no"}}
    assert sublight("data", "maps").out.count(ADDRESS) == 1
    assert [one["name"] for one in json.loads(sublight("data", "maps", "--json").out)] == [ADDRESS]
    assert sublight("data", "unmap", ADDRESS).out == f"{ADDRESS} is not mapped any more\n"
    assert json.loads(sublight("data", "maps", "--json").out) == []
    assert "is not mapped to a file" in sublight("data", "unmap", ADDRESS).err
    assert sublight("data", "map", ADDRESS, "p").code == 2
    assert "an address looks like https://" in sublight("data", "map", "titanic", "a.csv").err


def test_datastores_are_listed_filled_and_emptied(sublight: Sublight, folder: Path) -> None:
    store = "workspaceblobstore"
    assert f"{store} (default)" in sublight("datastore", "list").out
    assert json.loads(sublight("datastore", "list", "--json").out)[0]["is_default"] is True

    assert sublight("datastore", "upload", store, "p", "a.csv", "--to", "raw").out == f"3 files stored in {store}\n"
    (folder / "a.csv").write_text("new")
    again = sublight("datastore", "upload", store, "p", "a.csv", "--to", "/raw/")
    assert again.out == f"0 files stored in {store}; 3 files there already, kept (--overwrite replaces)\n"
    replaced = json.loads(sublight("datastore", "upload", store, "a.csv", "--to", "raw", "--overwrite", "--json").out)
    assert replaced == {"stored": ["raw/a.csv"], "kept": []}
    listed = json.loads(sublight("datastore", "files", store, "raw/p", "--json").out)
    assert [one["path"] for one in listed] == ["raw/p/1.png", "raw/p/q/2.png"]
    assert "raw/a.csv" in sublight("datastore", "files", store).out

    assert sublight("datastore", "download", store, "raw/p/q", "--to", "out").out == "1 file written to out\n"
    assert (folder / "out/raw/p/q/2.png").read_text() == "2"
    missing = sublight("datastore", "download", store, "nothing")
    assert (missing.code, "has no file whose path begins with 'nothing'" in missing.err) == (1, True)
    assert "there is no datastore 'other'" in sublight("datastore", "files", "other").err
    assert "have the same name" in sublight("datastore", "upload", store, "a.csv", "p/../a.csv").err


@pytest.mark.parametrize(
    "command",
    [
        *(f"dataset {verb}" for verb in ("register", "list", "show", "download", "remove")),
        *(f"model {verb}" for verb in ("list", "show", "download", "remove")),
        *(f"datastore {verb}" for verb in ("list", "files", "upload", "download")),
        *(f"data {verb}" for verb in ("map", "maps", "unmap")),
    ],
)
def test_each_command_has_an_example_and_speaks_json(sublight: Sublight, command: str) -> None:
    text = sublight(*command.split(), "--help").out

    assert f"sublight {command}" in text.partition("Example:")[2]
    assert "--json" in text
