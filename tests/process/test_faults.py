"""Something is killed, canceled or too slow in mid-sweep: the sweep ends with exactly its trials, and nothing is left."""

from __future__ import annotations

import os
import signal

import pytest

from sublight.sdk.cluster import Cluster
from sublight.sdk.run import Run
from tests.process.project import Project, check_life, check_sentence, is_alive, kill, node_of, wait_until

pytestmark = pytest.mark.process

# As train.py, but with a grandchild that leaves its parent, its session and its group, and does not mind SIGTERM.
DAEMON_TRIAL = """
import os, signal, sys, time
from ledger import note

if not os.fork():
    os.setsid()
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note("daemon")
    for _ in range(3000):
        note("beat")
        time.sleep(0.02)
    os._exit(0)
os.wait()
exec(compile(open("train.py").read(), "train.py", "exec"))
"""

STUBBORN_TRIAL = """
import signal
from ledger import note, wait_for

signal.signal(signal.SIGTERM, lambda number, frame: note("told to end"))
note("start")
wait_for("never")
"""


@pytest.fixture(scope="module")
def pool(shared_project: Project) -> Cluster:
    """Two nodes that stay, for the tests that do them no harm."""
    return shared_project.cluster(2)


def wait_for_beats(project: Project, sweep: Run, count: int) -> list[Run]:
    """Wait until so many trials of a sweep wait at their gate; returns them in index order."""

    def waiting() -> list[Run]:
        beating = {line.trial for line in project.ledger("beat")}
        return [trial for trial in sweep.trials() if trial.id in beating]

    return wait_until(
        lambda: found if len(found := waiting()) >= count else None,
        lambda: f"{count} trials at their gate; {[(trial.id, trial.status, trial.reason) for trial in sweep.trials()]}",
    )


def pids(project: Project, trial: Run, attempt: int = 1) -> set[int]:
    """All processes of an attempt that have noted something."""
    return {line.pid for line in project.ledger(trial=trial.id, attempt=attempt)}


# -- the server -------------------------------------------------------------------------------------------------------


def test_trials_run_on_while_their_server_is_dead_and_nothing_they_report_is_lost(project: Project) -> None:
    project.cluster(3)
    sweep = project.submit(project.sweep(12, "--gate", "go"))
    under_way = wait_for_beats(project, sweep, 3)
    agents = project.agents()

    project.kill_server()
    project.open_gate("go")
    ended = {trial.id for trial in under_way}
    wait_until(
        lambda: ended <= {line.trial for line in project.ledger("end")}, "the trials did not end without a server"
    )
    assert len(project.ledger("start")) == 3
    sweep = project.connect().run(sweep.id).wait(timeout=60)

    assert (sweep.status, sweep.end_reason) == ("completed", "finished"), sweep.reason
    trials = project.check_sweep(sweep, 12)
    assert [trial.view.attempt for trial in trials] == [1] * 12
    assert project.agents() == agents, "the agents should have outlived the server"
    project.check_no_trial_runs()


def test_a_client_that_waits_does_not_notice_that_the_server_was_killed_again_and_again(project: Project) -> None:
    project.cluster(3)
    sweep = project.submit(project.sweep(12))

    for ends in (1, 6):
        wait_until(lambda count=ends: len(project.ledger("end")) >= count, f"{ends} trials should have ended")
        project.kill_server()
        project.connect()
    sweep.wait(timeout=60)  # by the client from before

    assert sweep.status == "completed", sweep.reason
    project.check_sweep(sweep, 12)
    project.check_no_trial_runs()


def test_after_a_power_cut_the_sweep_goes_on_with_new_attempts(project: Project) -> None:
    project.cluster(2)
    sweep = project.submit(project.sweep(4, "--gate", "go"))
    cut_off = {trial.id for trial in wait_for_beats(project, sweep, 2)}

    while found := project.processes():
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda pids=found: not any(map(is_alive, pids)), "the processes did not end")
    project.open_gate("go")
    sweep = project.connect().run(sweep.id).wait(timeout=60)

    assert sweep.status == "completed", sweep.reason
    trials = project.check_sweep(sweep, 4)
    assert {trial.id for trial in trials if trial.view.attempt == 2} == cut_off
    project.check_no_trial_runs()


# -- the agent --------------------------------------------------------------------------------------------------------


def test_a_trial_whose_agent_was_killed_dies_with_it_and_runs_again_elsewhere(project: Project) -> None:
    project.write("fork.py", DAEMON_TRIAL)
    project.cluster(3)
    sweep = project.submit(project.sweep(6, script=project.script("fork.py", "--gate", "go")))
    victim, *others = wait_for_beats(project, sweep, 3)
    wait_until(lambda: len(project.ledger("daemon")) == 3, "each trial should have a daemon")
    node, processes = node_of(victim), pids(project, victim)
    assert len(processes) == 2

    kill(project.agent_pid(node))
    wait_until(lambda: not any(map(is_alive, processes)), lambda: f"{processes} outlived their agent")
    wait_until(lambda: project.ledger("beat", victim.id, 2), "the trial should run again")
    assert [trial.refresh().view.attempt for trial in others] == [1, 1]
    project.open_gate("go")
    sweep.wait(timeout=60)

    assert sweep.status == "completed", sweep.reason
    project.check_sweep(sweep, 6)
    lost, counted = victim.attempts()
    assert (lost.status, counted.status) == ("lost", "completed")
    assert lost.node_id == node != counted.node_id
    check_sentence(lost.reason, node)
    assert [trial.refresh().view.attempt for trial in others] == [1, 1]
    assert node not in {view.id for view in project.workspace.clusters["pool"].nodes}
    project.check_no_trial_runs()


def test_a_run_without_retries_fails_with_its_node(project: Project) -> None:
    project.cluster(1)
    run = project.submit(project.script("train.py", "--gate", "never", retries_max=0))
    wait_until(lambda: project.ledger("beat"), "the run should have begun")

    kill(project.agent_pid(node_of(run)))
    run.wait(timeout=60)

    assert (run.status, run.end_reason) == ("failed", "node_lost")
    check_sentence(run.reason, "lost", "the last of 1")
    check_life(run)
    project.check_no_trial_runs()


def test_an_agent_that_comes_back_in_time_keeps_its_trial_even_if_that_has_ended_meanwhile(project: Project) -> None:
    project.write_settings({"lease_seconds": 60, "stop_grace_seconds": 1, "replace_seconds": 80, "poll_seconds": 0.3})
    pool = project.cluster(2)
    sweep = project.submit(project.sweep(4, "--gate", "go"))
    frozen, _ = wait_for_beats(project, sweep, 2)
    node = node_of(frozen)
    agent = project.agent_pid(node)

    os.kill(agent, signal.SIGSTOP)
    wait_until(lambda: frozen.refresh().status == "lost", "the silence of the node should be noticed")
    assert "lost" in {view.state for view in pool.refresh().nodes}
    project.open_gate("go")
    wait_until(lambda: project.ledger("end", frozen.id), "the trial should end without its agent")
    os.kill(agent, signal.SIGCONT)
    sweep.wait(timeout=60)

    assert sweep.status == "completed", sweep.reason
    trials = project.check_sweep(sweep, 4)
    assert [trial.view.attempt for trial in trials] == [1] * 4
    assert project.agent_pid(node) == agent
    project.check_no_trial_runs()


def test_a_trial_on_a_node_that_stays_silent_is_ended_before_it_runs_again(project: Project) -> None:
    project.write_settings(
        {"lease_seconds": 2, "stop_grace_seconds": 0.5, "replace_seconds": 4, "poll_seconds": 0.5, "tick_seconds": 0.2}
    )
    project.write("fork.py", DAEMON_TRIAL)
    project.cluster(2)
    sweep = project.submit(project.sweep(3, script=project.script("fork.py", "--gate", "go")))
    frozen, other = wait_for_beats(project, sweep, 2)
    agent = project.agent_pid(node_of(frozen))

    os.kill(agent, signal.SIGSTOP)
    wait_until(lambda: project.ledger("beat", frozen.id, 2), "the trial should run again")
    assert not is_alive(agent)
    assert not any(map(is_alive, pids(project, frozen)))
    project.open_gate("go")
    sweep.wait(timeout=60)

    assert sweep.status == "completed", sweep.reason
    project.check_sweep(sweep, 3)
    assert other.refresh().view.attempt == 1
    project.check_no_trial_runs()


# -- a trial ----------------------------------------------------------------------------------------------------------


def test_a_trial_that_was_killed_is_failed_and_the_others_go_on(shared_project: Project, pool: Cluster) -> None:
    sweep = shared_project.submit(shared_project.sweep(4, "--gate", "killed"), on=pool)
    victim, _ = wait_for_beats(shared_project, sweep, 2)

    (pid,) = pids(shared_project, victim)
    os.kill(pid, signal.SIGKILL)
    victim.wait(timeout=60)
    shared_project.open_gate("killed")
    sweep.wait(timeout=60)

    assert (victim.status, victim.end_reason, victim.view.exit_code) == ("failed", "error", 137)
    check_sentence(victim.reason, "SIGKILL")
    assert (sweep.status, sweep.end_reason) == ("completed", "finished"), sweep.reason
    shared_project.check_sweep(sweep, 4, completed=3)
    shared_project.check_no_trial_runs()


def test_canceling_one_trial_leaves_the_others_alone(shared_project: Project, pool: Cluster) -> None:
    sweep = shared_project.submit(shared_project.sweep(4, "--gate", "one"), on=pool)
    unwanted, _ = wait_for_beats(shared_project, sweep, 2)

    unwanted.cancel().wait(timeout=60)
    shared_project.open_gate("one")
    sweep.wait(timeout=60)

    assert (unwanted.status, unwanted.end_reason) == ("canceled", "user")
    check_sentence(unwanted.reason, "canceled by")
    assert sweep.status == "completed", sweep.reason
    shared_project.check_sweep(sweep, 4, completed=3)
    shared_project.check_no_trial_runs()


def test_canceling_a_sweep_ends_its_trials_and_what_they_started(shared_project: Project, pool: Cluster) -> None:
    shared_project.write("fork.py", DAEMON_TRIAL)
    script = shared_project.script("fork.py", "--gate", "never")
    sweep = shared_project.submit(shared_project.sweep(6, script=script), on=pool)
    running = wait_for_beats(shared_project, sweep, 2)
    wait_until(
        lambda: len({line.trial for line in shared_project.ledger("daemon")} & {t.id for t in running}) == 2, "daemons"
    )

    sweep.cancel().wait(timeout=60)

    assert (sweep.status, sweep.end_reason) == ("canceled", "user"), sweep.reason
    trials = sweep.trials()
    assert {(trial.status, trial.end_reason) for trial in trials} == {("canceled", "user")}
    assert {line.trial for line in shared_project.ledger("start")} & {t.id for t in trials} == {t.id for t in running}
    for trial in trials:
        check_life(trial)
    shared_project.check_no_trial_runs()


def test_a_script_that_ignores_sigterm_is_ended_all_the_same(shared_project: Project, pool: Cluster) -> None:
    shared_project.write("stubborn.py", STUBBORN_TRIAL)
    run = shared_project.submit(shared_project.script("stubborn.py"), on=pool)
    wait_until(lambda: shared_project.ledger("beat", run.id), "the script should have begun")

    run.cancel().wait(timeout=60)

    assert (run.status, run.end_reason) == ("canceled", "user")
    assert len(shared_project.ledger("told to end", run.id)) == 1
    shared_project.check_no_trial_runs()


def test_a_daemon_that_a_script_leaves_behind_ends_with_it(shared_project: Project, pool: Cluster) -> None:
    shared_project.write("fork.py", DAEMON_TRIAL)

    run = shared_project.submit(shared_project.script("fork.py"), on=pool).wait(timeout=60)

    assert run.status == "completed", run.reason
    (daemon,) = [line.pid for line in shared_project.ledger("daemon", run.id)]
    assert not is_alive(daemon)
    shared_project.check_stored(run)
    shared_project.check_no_trial_runs()


# -- limits of time ---------------------------------------------------------------------------------------------------


def test_a_run_is_ended_at_its_time_limit(shared_project: Project, pool: Cluster) -> None:
    script = shared_project.script("train.py", "--gate", "never", max_run_seconds=1.5)

    run = shared_project.submit(script, on=pool).wait(timeout=60)

    assert (run.status, run.end_reason) == ("canceled", "timeout")
    check_sentence(run.reason, "time limit of 1.5 seconds")
    noted = [line.facts["value"] for line in shared_project.ledger("metric", run.id)]
    assert list(run.series("score").values) == noted, "what it reported until then stays"
    shared_project.check_no_trial_runs()


def test_a_sweep_ends_at_its_time_limit_and_keeps_what_it_found(shared_project: Project, pool: Cluster) -> None:
    sweep = shared_project.submit(shared_project.sweep(8, "--gate", "never", max_minutes=0.05), on=pool)

    sweep.wait(timeout=60)

    assert (sweep.status, sweep.end_reason) == ("completed", "timeout"), sweep.reason
    check_sentence(sweep.reason, "0.05 minutes")
    assert {(trial.status, trial.end_reason) for trial in sweep.trials()} == {("canceled", "timeout")}
    shared_project.check_no_trial_runs()
