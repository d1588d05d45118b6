"""``settings.json``: what may stand in it, and the sentence for what may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from sublight.core.errors import InvalidInput
from sublight.server.settings import Settings, load_settings


def test_settings_stand_over_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"poll_seconds": 2, "name": "lab", "sizes": [{"name": "big"}]}')

    settings = load_settings(tmp_path, name="folder", port=8123)

    assert (settings.poll_seconds, settings.name, settings.port) == (2, "lab", 8123)
    assert settings.sizes == ({"name": "big"},)
    assert settings.lease_seconds == Settings(root=tmp_path).lease_seconds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{not json", ["settings.json", "no JSON", "mend it"]),
        ("", ["settings.json", "no JSON"]),
        ("[1, 2]", ["settings.json", "object"]),
        ('{"colour": "red"}', ["settings.json", "'colour'", "lease_seconds"]),
        ('{"lease_seconds": "long"}', ["settings.json", "lease_seconds", "number", "'long'"]),
        ('{"lease_seconds": -1}', ["lease_seconds", "above 0", "-1"]),
        ('{"poll_seconds": NaN}', ["poll_seconds", "above 0", "nan"]),
        ('{"tick_seconds": true}', ["tick_seconds", "number", "True"]),
        ('{"port": 99999}', ["port", "65535", "99999"]),
        ('{"sizes": 5}', ["sizes", "list", "5"]),
        ('{"environment": {"A": 1}}', ["environment", "texts"]),
        ('{"host": ""}', ["host", "text"]),
        ('{"lease_seconds": 100}', ["replace_seconds", "lease_seconds"]),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(tmp_path: Path, text: str, words: list[str]) -> None:
    (tmp_path / "settings.json").write_text(text)

    with pytest.raises(InvalidInput) as caught:
        load_settings(tmp_path, name="folder")

    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_a_port_on_the_command_line_is_checked_too(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="--port must be a whole number from 1 to 65535, got 70000"):
        load_settings(tmp_path, name="folder", port=70000)
