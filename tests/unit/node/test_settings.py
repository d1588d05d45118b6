from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sublight.core.errors import InvalidInput
from sublight.node.settings import is_server_gone, read_settings, server_url
from tests.unit.node.fakes import settings_in

GOOD = {"node_id": "n1", "token": "t", "cluster": "c", "url": "http://h:1", "threads": 2, "size": {"gpus": 0}}


def write(directory: Path, content: object) -> Path:
    (directory / "agent.json").write_text(json.dumps(content))
    return directory


def test_settings_are_read(tmp_path):
    settings = read_settings(write(tmp_path, GOOD))

    assert (settings.node_id, settings.threads, settings.gpus, settings.server_file) == ("n1", 2, 0, None)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([], "must hold a JSON object, got list"),
        ({**GOOD, "token": ""}, "must hold token as text"),
        ({**GOOD, "node_id": 7}, "must hold node_id as text, got 7"),
        ({**GOOD, "url": None}, "must name the server by server_file or url"),
    ],
)
def test_settings_that_make_no_sense_are_refused_with_the_file_and_the_key(tmp_path, content, words):
    with pytest.raises(InvalidInput, match=r"agent\.json") as caught:
        read_settings(write(tmp_path, content))

    assert words in str(caught.value)


def test_missing_settings_are_refused(tmp_path):
    with pytest.raises(InvalidInput, match=r"agent\.json must hold the agent's settings"):
        read_settings(tmp_path)


def test_the_address_in_the_server_file_wins_and_is_read_anew(tmp_path):
    file = tmp_path / "server.json"
    settings = settings_in(tmp_path, server_file=file)
    assert server_url(settings) == "http://127.0.0.1:1"

    file.write_text('{"url": "http://127.0.0.1:2"}')
    assert server_url(settings) == "http://127.0.0.1:2"

    file.write_text('{"url": "http://127.0.0.')  # being written
    assert server_url(settings) == "http://127.0.0.1:1"


def test_a_server_is_gone_when_its_file_is_missing_or_names_a_dead_process(tmp_path):
    file = tmp_path / "server.json"
    settings = settings_in(tmp_path, server_file=file)
    assert is_server_gone(settings)

    file.write_text(json.dumps({"pid": os.getpid()}))
    assert not is_server_gone(settings)

    file.write_text(json.dumps({"pid": 2**22 + 1}))  # above the largest process number
    assert is_server_gone(settings)


def test_of_a_server_elsewhere_nobody_says_that_it_is_gone(tmp_path):
    assert not is_server_gone(settings_in(tmp_path))
