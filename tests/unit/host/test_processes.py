from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sublight.host.cgroups import ENTER_SCRIPT, ControlGroup, find_base
from sublight.host.facts import cores_count, gpus_count, memory_bytes
from sublight.host.nodes import make_node_group, node_mark, sweep_node
from sublight.host.processes import (
    descendants,
    is_same_process,
    kill_until_gone,
    look_around,
    marked_processes,
    process_stat,
    send_signal,
)
from tests.process.scripted_server import eventually


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        ["sleep", "300"], stdin=subprocess.DEVNULL, env={"COLOR": "red", "SHAPE": "round"}
    ) as process:
        yield process
        process.kill()


def test_a_process_is_itself_by_number_and_start(sleeper):
    stat = process_stat(sleeper.pid)

    assert stat is not None
    assert stat.parent == os.getpid()
    assert is_same_process(sleeper.pid, stat.started)
    assert not is_same_process(sleeper.pid, stat.started + 1)


def test_a_zombie_is_not_alive(sleeper):
    stat = process_stat(sleeper.pid)
    assert stat is not None
    sleeper.kill()

    assert eventually(lambda: not is_same_process(sleeper.pid, stat.started))
    zombie = process_stat(sleeper.pid)
    assert zombie is not None
    assert not zombie.is_alive


def test_there_is_no_process_of_an_impossible_number():
    assert process_stat(2**22 + 1) is None


def test_a_mark_finds_only_processes_that_carry_all_of_it(sleeper):
    assert eventually(lambda: marked_processes({"COLOR": "red", "SHAPE": "round"}) == [sleeper.pid])
    assert marked_processes({"COLOR": "red", "SHAPE": "square"}) == []
    assert marked_processes({"COLOR": "re"}) == []


def test_descendants_are_found_through_generations():
    script = "import subprocess, sys; subprocess.run(['sleep', '300'])"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.DEVNULL) as process:
        assert eventually(lambda: descendants(process.pid, look_around({})[0]))
        living, _ = look_around({})
        below = descendants(process.pid, living)
        assert below[0] in descendants(os.getpid(), living)
        process.kill()
        send_signal(below, 9)


def test_killing_asks_again_until_nothing_is_found():
    rounds = [[2**22 + 1], [], [2**22 + 1], [], [], []]

    assert kill_until_gone(lambda: rounds.pop(0), 10, pause=lambda seconds: None) == []
    assert rounds == []


def test_survivors_are_returned_when_the_time_is_over():
    assert kill_until_gone(lambda: [2**22 + 1], -1, pause=lambda seconds: None) == [2**22 + 1]


def test_a_group_is_killed_as_a_whole_with_groups_that_a_process_made_below_it():
    base = find_base()
    if base is None:
        pytest.skip("this machine lets us make no cgroups")
    group = ControlGroup(base / f"sublight-test-{os.getpid()}")
    group.create()
    script = 'mkdir "$0/below"; echo 0 > "$0/below/cgroup.procs"; setsid sleep 300 & exec sleep 300'
    command = ["/bin/sh", "-c", ENTER_SCRIPT, "sh", group.entrance, "/bin/sh", "-c", script, str(group.path)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL):
        assert eventually(lambda: len(group.members()) == 2)
        assert group.kill_and_wait(10)

    assert group.is_empty()
    group.remove()
    group.remove()
    assert not group.path.exists()
    assert group.is_empty()


def test_a_sweep_ends_what_carries_the_nodes_mark_and_nothing_else(tmp_path, sleeper):
    mark = node_mark("n1", tmp_path)
    with subprocess.Popen(["sleep", "300"], stdin=subprocess.DEVNULL, env=mark) as marked:
        assert eventually(lambda: marked_processes(mark) == [marked.pid])
        assert sweep_node("n1", tmp_path / "other") == []
        assert marked.poll() is None
        assert sweep_node("n1", tmp_path) == []
        assert marked.wait(10) == -9

    assert sleeper.poll() is None


def test_a_noted_group_that_is_not_a_nodes_is_left_alone(tmp_path):
    base = find_base()
    if base is None:
        pytest.skip("this machine lets us make no cgroups")
    group = ControlGroup(base / f"sublight-test-{os.getpid()}")
    group.create()
    (tmp_path / "cgroup").write_text(str(group.path))
    sweep_node("n1", tmp_path)
    assert group.path.exists()
    group.remove()

    node_group = make_node_group(base, "n1", tmp_path)
    assert sweep_node("n1", tmp_path) == []
    assert not node_group.path.exists()


def test_a_machine_without_a_cgroup_tree_has_no_base(tmp_path):
    assert find_base((tmp_path,)) is None


def test_a_tree_in_which_nothing_can_be_made_is_no_base(tmp_path: Path):
    (tmp_path / "cgroup.procs").touch()

    assert find_base((tmp_path,)) is None
    assert [entry.name for entry in tmp_path.iterdir()] == ["cgroup.procs"]


def test_the_machine_has_something():
    assert cores_count() >= 1
    assert memory_bytes() > 2**20
    assert gpus_count() >= 0
