"""``settings.json``: what may stand in it, and the sentence for what may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from sublight.core.errors import InvalidInput, TooLarge
from sublight.messages.definitions import SnapshotFile, SnapshotRequest
from sublight.sdk.snapshot import pack
from sublight.server.settings import Settings, load_settings
from tests.server.harness import OWNER, Harness


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
        ('{"environments": "docker"}', ["environments", "current, build or relax", "'docker'"]),
        ('{"environment": {"A": 1}}', ["environment", "texts"]),
        ('{"environment": {"SUBLIGHT_TOKEN": "t"}}', ["environment", "none of SUBLIGHT_"]),
        ('{"snapshot_limit_files": 0}', ["snapshot_limit_files", "whole number above 0"]),
        ('{"snapshot_limit_mb": 1.5}', ["snapshot_limit_mb", "whole number above 0"]),
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


def test_variables_of_the_settings_reach_every_script_unless_its_run_sets_them(tmp_path: Path) -> None:
    harness = Harness(tmp_path / ".sublight", environment={"HTTPS_PROXY": "http://proxy:3128", "SEED": "1"})
    harness.cluster(max_nodes=1)
    harness.submit(harness.script(environment_variables={"SEED": "2"}))
    harness.settle()
    harness.agents()
    harness.settle()

    ((order,),) = (agent.orders() for agent in harness.agents().values())

    harness.close()
    assert order.environment_variables == {"HTTPS_PROXY": "http://proxy:3128", "SEED": "2"}


def files(count: int, size_bytes: int = 1) -> SnapshotRequest:
    return SnapshotRequest(
        files=[SnapshotFile(path=f"{number}.txt", sha256="0" * 64, size_bytes=size_bytes) for number in range(count)]
    )


def test_who_raises_their_own_limit_for_snapshots_can_submit_so_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for number in range(2_100):
        (source / f"{number}.txt").write_text("")
    with pytest.raises(TooLarge, match="or set SUBLIGHT_SNAPSHOT_LIMIT_FILES"):
        pack(source)
    monkeypatch.setenv("SUBLIGHT_SNAPSHOT_LIMIT_FILES", "3000")
    packed = pack(source)

    harness = Harness(tmp_path / ".sublight")
    listed = harness.services.files.create_snapshot(OWNER, SnapshotRequest(files=list(packed.files)))

    harness.close()
    assert len(listed.missing) == 1


def test_the_servers_own_limits_say_which_setting_raises_them(tmp_path: Path) -> None:
    harness = Harness(tmp_path / ".sublight", snapshot_limit_files=2, snapshot_limit_mb=1)
    create = harness.services.files.create_snapshot
    assert create(OWNER, files(2)).missing

    with pytest.raises(TooLarge, match=r"raise snapshot_limit_files in the server's .sublight/settings.json"):
        create(OWNER, files(3))
    with pytest.raises(TooLarge, match=r"raise snapshot_limit_mb in the server's .sublight/settings.json"):
        create(OWNER, files(2, size_bytes=600_000))
    harness.close()
