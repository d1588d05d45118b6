from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import pytest

from sublight.core.errors import ServerUnavailable
from sublight.messages.definitions import SnapshotFile
from sublight.node.states import End, Phase, Step
from tests.unit.node.fakes import World, an_order

SLEEP = an_order("run-1", [], ["{shell}", "-c", "sleep 1"])
STOP = replace(SLEEP, action="stop", stop_reason="ended early")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "nodes" / "n1")


def state_of(world: World):
    return world.executor.attempts[("run-1", 1)].state


def outputs_of(world: World) -> Path:
    return world.executor.attempts[("run-1", 1)].directory / "work" / "outputs"


def test_a_script_that_ends_by_itself_closes_at_once_with_its_exit_code(world):
    world.order(SLEEP)
    world.end_main(0)

    assert world.deeds == ["start", "close"]
    assert state_of(world).is_closed
    assert (state_of(world).end, state_of(world).exit_code) == (End.EXITED, 0)


def test_what_a_script_leaves_behind_is_killed_before_its_files_are_read(world):
    world.order(SLEEP)
    world.launcher.processes[0].left_behind = 2
    world.end_main(1)

    assert world.deeds == ["start", "kill", "close"]


def test_a_stop_asks_first_waits_for_the_grace_and_then_kills_again_and_again(world):
    world.order(SLEEP)
    world.order(STOP)
    world.order(STOP)
    world.pass_time(9.9)
    assert world.deeds == ["start", "terminate"]

    world.pass_time(0.2)
    world.pass_time(0.2)
    assert world.deeds == ["start", "terminate", "kill", "kill"]

    world.end_main(137)
    assert (state_of(world).end, state_of(world).message) == (End.STOPPED, "ended early")


def test_a_script_that_ends_within_the_grace_is_not_killed(world):
    world.order(SLEEP)
    world.order(STOP)
    world.end_main(0)

    assert world.deeds == ["start", "terminate", "close"]
    assert state_of(world).end is End.STOPPED


def test_processes_that_nothing_ends_are_named_after_a_while(world):
    world.order(SLEEP)
    process = world.launcher.processes[0]
    process.left_behind, process.is_unkillable = 1, True
    world.order(STOP)
    world.pass_time(10.1)
    world.pass_time(10.1)

    assert state_of(world).is_closed
    assert state_of(world).exit_code is None
    assert "did not end after SIGKILL: 1000" in state_of(world).message


def test_a_time_limit_stops_the_script_once(world):
    world.order(replace(SLEEP, max_run_seconds=5.0))
    world.pass_time(5.1)
    world.pass_time(1.0)
    world.end_main(143)

    assert world.deeds == ["start", "terminate", "close"]
    assert state_of(world).end is End.TIMEOUT


def test_a_lapsed_lease_stops_what_runs_but_not_what_uploads(world):
    second = replace(SLEEP, run_id="run-2")
    world.order(SLEEP, second)
    (outputs_of(world) / "model").write_text("m")
    world.client.failure = ServerUnavailable("away")
    world.end_main(0, number=0)
    world.pass_time(61)
    world.end_main(143, number=1)

    assert world.deeds == ["start", "start", "close", "terminate", "close"]
    assert state_of(world).end is End.EXITED
    assert world.executor.attempts[("run-2", 1)].state.message.startswith("the lease lapsed")

    world.client.failure = None
    world.pass_time(30)
    assert world.client.artifacts == {"outputs/model": b"m"}
    assert state_of(world).is_closed


def test_nothing_starts_under_a_lapsed_lease(world):
    world.holds_jobs = True
    world.order(SLEEP)
    world.time += 61
    world.do_held_jobs()

    assert world.deeds == []
    assert state_of(world).end is End.STOPPED


def test_a_stop_while_unpacking_ends_the_attempt_before_it_starts(world):
    world.holds_jobs = True
    world.order(SLEEP)
    world.order(STOP)
    world.do_held_jobs()

    assert world.deeds == []
    assert (state_of(world).end, state_of(world).started) == (End.STOPPED, None)


def test_an_attempt_that_is_to_stop_when_it_is_first_heard_of_never_starts(world):
    world.order(STOP)

    assert world.deeds == []
    assert (state_of(world).end, state_of(world).message) == (End.STOPPED, "ended early")


def test_unpacking_is_tried_again_while_the_server_is_away(world):
    world.client.failure = ServerUnavailable("away")
    order = replace(SLEEP, snapshot_files=[SnapshotFile(path="train.py", sha256="0" * 64, size_bytes=1)])
    world.order(order)
    world.pass_time(30)
    assert state_of(world).phase is Phase.PREPARING
    assert world.executor.attempts[("run-1", 1)].step is Step.UNPACKING

    world.order(replace(order, action="stop"))
    assert state_of(world).end is End.STOPPED


def test_a_full_disk_is_said_in_plain_words(world, monkeypatch):
    def no_space(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("sublight.node.attempt.unpack", no_space)
    world.order(SLEEP)

    assert state_of(world).end is End.FAILED_TO_START
    assert "the disk of node" in state_of(world).message


def test_a_program_that_cannot_be_started_fails_the_attempt(world):
    world.launcher.failure = FileNotFoundError("there is no program nvcc")
    world.order(SLEEP)

    assert state_of(world).end is End.FAILED_TO_START
    assert state_of(world).message == "the run could not be started: there is no program nvcc"


def test_sigkill_from_outside_is_told_apart_from_a_stop(world):
    world.order(SLEEP)
    world.end_main(137)

    assert state_of(world).end is End.EXITED
    assert "memory runs out" in state_of(world).message


def test_uploading_is_tried_again_until_the_server_is_back(world):
    world.order(SLEEP)
    (outputs_of(world) / "model").write_text("m")
    world.client.failure = ServerUnavailable("away")
    world.end_main(0)
    world.pass_time(5)
    assert not state_of(world).is_closed
    assert state_of(world).phase is Phase.FINISHING

    world.client.failure = None
    world.pass_time(11)
    assert state_of(world).is_closed
    assert world.client.artifacts == {"outputs/model": b"m"}


def test_a_cancel_ends_an_upload_that_gets_nowhere(world):
    world.order(SLEEP)
    (outputs_of(world) / "model").write_text("m")
    world.client.failure = ServerUnavailable("away")
    world.end_main(0)
    world.order(STOP)

    assert state_of(world).is_closed
    assert state_of(world).end is End.EXITED


def test_outputs_of_a_stopped_script_are_uploaded_however_often_the_stop_is_listed(world):
    world.order(SLEEP)
    (outputs_of(world) / "model").write_text("m")
    world.order(STOP)
    world.holds_jobs = True
    world.end_main(143)
    world.order(STOP)
    world.do_held_jobs()

    assert world.client.artifacts == {"outputs/model": b"m"}


def test_an_attempt_that_is_not_listed_is_killed_and_its_folder_removed(world):
    world.order(SLEEP)
    directory = world.executor.attempts[("run-1", 1)].directory
    world.order()
    assert not world.executor.is_empty
    world.end_main(137)

    assert world.deeds == ["start", "kill", "close"]
    assert world.executor.is_empty
    assert not directory.exists()


def test_a_folder_is_removed_only_after_the_job_in_it(world):
    world.order(SLEEP)
    directory = world.executor.attempts[("run-1", 1)].directory
    (outputs_of(world) / "model").write_text("m")
    world.holds_jobs = True
    world.end_main(0)
    world.order()
    assert directory.exists()

    world.do_held_jobs()
    world.do_held_jobs()
    assert not directory.exists()
    assert world.executor.is_empty


def test_an_attempt_that_was_removed_is_not_started_again(world):
    world.order(SLEEP)
    world.end_main(0)
    world.order()
    world.order(SLEEP)

    assert world.deeds == ["start", "close"]
    assert (state_of(world).end, state_of(world).is_closed) == (End.STOPPED, True)


def test_another_attempt_of_the_same_run_is_a_new_one(world):
    world.order(SLEEP)
    world.end_main(0)
    world.order(replace(SLEEP, attempt=2))

    assert world.deeds == ["start", "close", "start"]


def test_a_run_id_that_is_no_plain_name_is_passed_over(world):
    world.order(replace(SLEEP, run_id="../../etc"))

    assert world.executor.is_empty


def test_an_agent_that_closes_takes_no_orders_any_more(world):
    world.order(SLEEP)
    world.executor.close("told to end")
    world.order(replace(SLEEP, run_id="run-2"))
    world.end_main(143)

    assert world.deeds == ["start", "terminate", "close"]
    assert (state_of(world).end, state_of(world).message) == (End.STOPPED, "told to end")


def test_the_next_look_is_never_later_than_the_end_of_the_lease(world):
    assert world.settle() is None

    world.order(SLEEP)
    world.time += 59.7
    assert world.settle() == pytest.approx(0.3)
