"""Where the workspace's server is found."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sublight.core.errors import InvalidInput, NotAllowed, NotAuthenticated, ServerUnavailable
from sublight.sdk import discovery
from sublight.sdk.discovery import endpoint_from_environment, find_project, locate_again, read_config_file
from sublight.sdk.workspace import Workspace

SERVER = {"url": "http://127.0.0.1:9", "pid": 1, "started": 1.0, "version": "0.1.0", "workspace_id": "w"}


def project(folder: Path, *, server: object = None, token: str | None = "secret") -> Path:
    (folder / ".sublight").mkdir(parents=True)
    if server is not None:
        (folder / ".sublight/server.json").write_text(json.dumps(server))
    if token is not None:
        (folder / ".sublight/owner.token").write_text(token + "\n")
    return folder


def test_the_environment_names_a_remote_server() -> None:
    endpoint = endpoint_from_environment({"SUBLIGHT_URL": "https://lab:8443/", "SUBLIGHT_TOKEN": "t"})

    assert endpoint is not None
    assert (endpoint.url, endpoint.token, endpoint.is_loopback) == ("https://lab:8443", "t", False)
    assert endpoint_from_environment({}) is None


@pytest.mark.parametrize(("given", "missing"), [("SUBLIGHT_URL", "SUBLIGHT_TOKEN"), ("SUBLIGHT_TOKEN", "SUBLIGHT_URL")])
def test_half_of_a_remote_server_is_refused(given: str, missing: str) -> None:
    with pytest.raises(InvalidInput, match=f"{given} is set, but {missing} is not"):
        endpoint_from_environment({given: "http://x"})


def test_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project(tmp_path, server=SERVER))
    monkeypatch.setenv("SUBLIGHT_URL", "http://lab:1")
    monkeypatch.setenv("SUBLIGHT_TOKEN", "t")

    assert Workspace.from_config().url == "http://lab:1"


def test_the_nearest_folder_with_a_workspace_is_the_project(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    inner = project(tmp_path / "outer/inner")
    (inner / "deep").mkdir()

    assert find_project(inner / "deep") == inner


def test_without_a_workspace_the_repository_is_the_project(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "deep/down").mkdir(parents=True)

    assert find_project(tmp_path / "deep/down") == tmp_path


def test_without_either_the_folder_itself_is_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if any((parent / name).exists() for parent in tmp_path.parents for name in (".git", ".sublight")):
        pytest.skip("the folder for temporary files lies inside a project")

    assert find_project(tmp_path) == tmp_path


def test_a_start_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="expected a folder"):
        find_project(tmp_path / "missing")


def test_a_configuration_file_names_a_server_and_its_token_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abc\n")
    file = tmp_path / "config.json"
    file.write_text('{"url": "https://lab", "token_file": "token"}')

    assert read_config_file(file).token == "abc"
    assert Workspace.from_config(file).url == "https://lab"


def test_a_project_may_be_configured_for_a_server_elsewhere(tmp_path: Path) -> None:
    folder = project(tmp_path) / ".sublight"
    (folder / "config.json").write_text('{"url": "https://lab", "token_file": "owner.token"}')

    assert Workspace.from_config(tmp_path).url == "https://lab"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "must hold JSON like"),
        ("[]", 'has no "url"'),
        ('{"url": "https://lab", "tokn": "x"}', "got 'tokn'"),
    ],
)
def test_a_wrong_configuration_file_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "config.json"
    file.write_text(text)

    with pytest.raises(InvalidInput, match=sentence):
        read_config_file(file)


def test_a_missing_token_says_whom_to_ask(tmp_path: Path) -> None:
    with pytest.raises(NotAuthenticated, match="does not exist; ask the workspace's owner"):
        locate_again(project(tmp_path, server=SERVER, token=None))


def test_a_stopped_server_is_named_so(tmp_path: Path) -> None:
    with pytest.raises(ServerUnavailable, match="was stopped; start it with 'sublight up'"):
        locate_again(project(tmp_path))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"url": "http://127.0.0.1:9"}'])
def test_a_damaged_announcement_counts_as_none(tmp_path: Path, content: str) -> None:
    folder = project(tmp_path)
    (folder / ".sublight/server.json").write_text(content)

    assert discovery.written_server(folder) is None


def test_a_workspace_that_someone_else_laid_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project(tmp_path, server=SERVER)
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)

    with pytest.raises(NotAllowed, match="belongs to another user"):
        discovery.running_endpoint(folder)
