"""Runs that a user's own process carries out: what it reports is stored once, and no node has to do with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sublight.core.errors import Conflict, InvalidInput, NotAllowed, NotFound, TooLarge
from sublight.messages.definitions import EndRequest, InteractiveRunRequest
from sublight.messages.experiments import ExperimentUpdate
from sublight.messages.runs import RunView
from sublight.server.caller import Caller
from sublight.store import runs as run_rows
from sublight.store import tables
from tests.server.harness import OWNER, Harness, scalar
from tests.server.people import exists, http, token_of
from tests.server.world import sha256

EVA = Caller(name="eva", roles=frozenset({"data scientist"}))


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    made = Harness(tmp_path / ".sublight", interactive_silence_seconds=600.0)
    yield made
    made.close()


def start(harness: Harness, caller: Caller = OWNER, key: str | None = None, **values: Any) -> RunView:
    request = InteractiveRunRequest(**{"experiment": "by hand", **values})
    return harness.services.interactive.start(caller, request, key)


def report(harness: Harness, run: RunView, data: bytes, offset: int = 0, caller: Caller = OWNER) -> int:
    return harness.services.interactive.store_journal(caller, run.id, offset, data).size_bytes


def end(harness: Harness, run: RunView, status: Any = "completed", message: str = "") -> RunView:
    return harness.services.interactive.end(OWNER, run.id, EndRequest(status=status, message=message))


def values(harness: Harness, run: RunView, name: str = "accuracy") -> list[float | str | None]:
    return harness.services.metrics.series(run.id, name, 1000).values


def child(local: str, name: str = "fold") -> bytes:
    content = f'{{"child":"{local}","name":"{name}"}}'
    return f'r\t{{"kind":"child","name":"{name}","step":null,"time":1.0,"content":{content}}}\n'.encode()


# -- starting --------------------------------------------------------------------------------------------------------


def test_it_runs_from_the_start_and_is_shown_on_local(harness: Harness) -> None:
    snapshot = harness.snapshot()

    run = start(harness, name="trying", tags={"a": "b"}, properties={"c": "d"}, snapshot_id=snapshot, description="why")

    assert (run.kind, run.status, run.target, run.name) == ("interactive", "running", "local", "trying")
    assert (run.tags, run.properties, run.description, run.snapshot_id) == ({"a": "b"}, {"c": "d"}, "why", snapshot)
    assert run.started == harness.clock.now()
    assert [one.id for one in harness.services.runs.list(kind="interactive").runs] == [run.id]
    assert [one.name for one in harness.services.experiments()] == ["by hand"]
    assert harness.services.clusters.list() == []


def test_the_same_key_starts_one_run(harness: Harness) -> None:
    assert start(harness, key="k").id == start(harness, key="k").id
    assert start(harness, key="other").id != start(harness, key="k").id


def test_it_takes_an_own_id_once(harness: Harness) -> None:
    assert start(harness, id="0b9f5f0e-1").id == "0b9f5f0e-1"
    with pytest.raises(Conflict, match="there is a run '0b9f5f0e-1' already"):
        start(harness, id="0b9f5f0e-1")
    with pytest.raises(InvalidInput):
        start(harness, id="../x")


def test_it_stands_below_a_run_of_its_experiment(harness: Harness) -> None:
    parent = start(harness)

    below = start(harness, parent_id=parent.id)

    assert [one.id for one in harness.trials(parent.id)] == [below.id]
    with pytest.raises(InvalidInput, match="belongs to the experiment of its parent"):
        start(harness, experiment="other", parent_id=parent.id)
    with pytest.raises(NotFound):
        start(harness, parent_id="nobody")


def test_it_does_not_stand_among_the_trials_of_a_sweep(harness: Harness) -> None:
    harness.cluster()
    sweep = harness.submit(harness.sweep())

    with pytest.raises(InvalidInput, match=r"the children of sweep .* are its trials"):
        start(harness, experiment="trying", parent_id=sweep.id)


def test_readers_start_none(harness: Harness) -> None:
    reader = http(harness, token_of(harness, "rita", "reader"))

    answer = reader.post("/api/v1/interactive-runs", json={"experiment": "e"})

    assert answer.status_code == 403
    assert "starting a run needs the role data scientist" in answer.json()["message"]


# -- reporting -------------------------------------------------------------------------------------------------------


def test_each_byte_of_the_journal_counts_once_however_often_it_comes(harness: Harness) -> None:
    run = start(harness)
    first, second = scalar("accuracy", 0.5), scalar("accuracy", 0.75)

    assert report(harness, run, first) == len(first)
    assert report(harness, run, first) == len(first)
    assert report(harness, run, first + second) == len(first + second)
    assert report(harness, run, second, offset=len(first)) == len(first + second)

    assert values(harness, run) == [0.5, 0.75]
    assert harness.run(run.id).metrics == {"accuracy": 0.75}


def test_bytes_after_a_gap_and_half_lines_wait(harness: Harness) -> None:
    run = start(harness)
    line = scalar("accuracy", 0.5)

    assert report(harness, run, line, offset=10) == 0
    assert report(harness, run, line[:5]) == 0
    assert report(harness, run, line + line[:5]) == len(line)
    assert values(harness, run) == [0.5]


def test_reporting_goes_on_after_a_restart_of_the_server(harness: Harness) -> None:
    run = start(harness)
    line = scalar("accuracy", 0.5)
    report(harness, run, line)

    harness.restart()

    assert report(harness, run, b"", offset=len(line)) == len(line)
    assert report(harness, run, line + scalar("accuracy", 0.75)) > len(line)
    assert values(harness, run) == [0.5, 0.75]


def test_logs_grow_by_offset(harness: Harness) -> None:
    run = start(harness)
    store = harness.services.interactive.store_log

    assert store(OWNER, run.id, "user_logs/std_log.txt", 0, b"one\n").size_bytes == 4
    assert store(OWNER, run.id, "user_logs/std_log.txt", 0, b"one\ntwo\n").size_bytes == 8
    assert store(OWNER, run.id, "user_logs/std_log.txt", 20, b"lost").size_bytes == 8

    assert harness.services.files.read_log(run.id, "user_logs/std_log.txt", 0, 100) == b"one\ntwo\n"
    with pytest.raises(InvalidInput):
        store(OWNER, run.id, "../../etc/passwd", 0, b"x")


def test_the_number_of_logs_has_a_limit(harness: Harness) -> None:
    run = start(harness)
    for number in range(100):
        harness.services.interactive.store_log(OWNER, run.id, f"{number}.txt", 0, b"x")

    with pytest.raises(TooLarge, match="has 100 logs, which is the limit"):
        harness.services.interactive.store_log(OWNER, run.id, "more.txt", 0, b"x")
    assert harness.services.interactive.store_log(OWNER, run.id, "7.txt", 1, b"y").size_bytes == 2


def test_over_http_it_reports_stores_files_and_ends(harness: Harness) -> None:
    eva = http(harness, token_of(harness, "eva", "data scientist"))
    run_id = eva.post("/api/v1/interactive-runs", json={"experiment": "e"}).json()["id"]
    base, content = f"/api/v1/runs/{run_id}", b"picture"
    hash = sha256(content)

    line = scalar("loss", 0.25)
    assert eva.put(f"{base}/journal", params={"offset": 0}, content=line).json() == {"size_bytes": len(line)}
    assert eva.put(f"{base}/logs", params={"path": "a.txt", "offset": 0}, content=b"hi").json() == {"size_bytes": 2}
    stored = eva.put(f"{base}/artifacts", params={"path": "images/a.png", "sha256": hash, "size": 7}, content=content)
    assert stored.status_code == 204
    wrong = eva.put(f"{base}/artifacts", params={"path": "b", "sha256": hash, "size": 3}, content=b"abc")
    assert wrong.status_code == 400
    assert eva.get(f"{base}/artifacts/content", params={"path": "images/a.png"}).content == content
    ended = eva.post(f"{base}/end", json={"status": "completed"}).json()
    assert (ended["status"], ended["metrics"]) == ("completed", {"loss": 0.25})


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../b", "", "a\\b"])
def test_a_file_with_an_unsafe_path_is_not_stored(harness: Harness, path: str) -> None:
    eva = http(harness, token_of(harness, "eva", "data scientist"))
    run_id = eva.post("/api/v1/interactive-runs", json={"experiment": "e"}).json()["id"]

    query = {"path": path, "sha256": "0" * 64, "size": 0}
    assert eva.put(f"/api/v1/runs/{run_id}/artifacts", params=query, content=b"").status_code == 400


def test_a_large_file_may_come_and_a_large_journal_piece_may_not(harness: Harness) -> None:
    eva = http(harness, token_of(harness, "eva", "data scientist"))
    run_id = eva.post("/api/v1/interactive-runs", json={"experiment": "e"}).json()["id"]
    content = b"x" * 9_000_000
    query = {"path": "model", "sha256": sha256(content), "size": len(content)}

    assert eva.put(f"/api/v1/runs/{run_id}/artifacts", params=query, content=content).status_code == 204
    assert eva.put(f"/api/v1/runs/{run_id}/journal", params={"offset": 0}, content=content).status_code == 413


def test_only_whoever_started_it_reports_on_it(harness: Harness) -> None:
    run = start(harness)

    with pytest.raises(NotAllowed, match="only olga can report on it"):
        report(harness, run, scalar("accuracy", 1.0), caller=EVA)
    with pytest.raises(NotAllowed):
        harness.services.interactive.end(EVA, run.id, EndRequest(status="failed"))


def test_other_runs_take_no_such_reports(harness: Harness) -> None:
    harness.cluster()
    script = harness.submit(harness.script())

    with pytest.raises(InvalidInput, match="is a script, and its node reports on it"):
        report(harness, script, scalar("accuracy", 1.0))
    with pytest.raises(InvalidInput):
        end(harness, script)


# -- ending ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "end_reason"), [("completed", "finished"), ("failed", "error"), ("canceled", "user")]
)
def test_it_ends_as_its_process_says_and_its_children_with_it(harness: Harness, status: str, end_reason: str) -> None:
    run = start(harness)
    report(harness, run, child("aa") + child("bb") + scalar("accuracy", 0.5))
    data = child("aa") + child("bb") + scalar("accuracy", 0.5)
    done = b'r\t{"kind":"child_end","name":"","step":null,"time":1.0,"content":{"child":"aa","status":"completed"}}\n'
    report(harness, run, done, offset=len(data))
    harness.clock.advance(7)

    ended = end(harness, run, status, "so it is")

    assert (ended.status, ended.end_reason, ended.reason) == (status, end_reason, "so it is")
    assert ended.ended == harness.clock.now()
    assert [one.status for one in harness.trials(run.id)] == ["completed", status]
    assert end(harness, run, status).status == status


def test_the_first_end_counts(harness: Harness) -> None:
    run = start(harness)
    end(harness, run, "failed")

    with pytest.raises(Conflict, match="has ended already"):
        end(harness, run, "completed")
    with pytest.raises(Conflict, match=r"has ended \(failed: .*what its process still reports is not kept"):
        report(harness, run, scalar("accuracy", 1.0))


def test_canceling_it_from_outside_ends_it_at_once(harness: Harness) -> None:
    run = start(harness)
    report(harness, run, child("aa"))

    canceled = harness.services.runs.cancel(OWNER, run.id)

    assert (canceled.status, canceled.end_reason, canceled.reason) == ("canceled", "user", "canceled by olga")
    assert harness.trials(run.id)[0].status == "canceled"
    with pytest.raises(Conflict, match="canceled by olga"):
        report(harness, run, scalar("accuracy", 1.0))
    assert harness.services.runs.cancel(OWNER, run.id).status == "canceled"
    with harness.services.database.read() as connection:
        assert not any(row.is_open for row in connection.execute(tables.attempts.select()))


def test_an_interactive_run_below_a_script_does_not_end_with_it(harness: Harness) -> None:
    harness.cluster()
    script = harness.submit(harness.script())
    harness.settle()
    harness.agents()
    harness.settle()
    below = start(harness, experiment="trying", parent_id=script.id)

    next(iter(harness.agents().values())).finish(script.id)

    assert harness.run(script.id).status == "completed"
    assert harness.run(below.id).status == "running"


# -- a process that falls silent -------------------------------------------------------------------------------------


def listen(harness: Harness) -> None:
    harness.services.interactive.fail_silent(harness.settings.interactive_silence_seconds)


def test_a_process_that_is_not_heard_of_for_long_has_failed(harness: Harness) -> None:
    run, living = start(harness), start(harness)
    report(harness, run, child("aa"))
    harness.clock.advance(400)
    report(harness, living, b"")
    harness.clock.advance(201)

    listen(harness)

    failed = harness.run(run.id)
    assert (failed.status, failed.end_reason) == ("failed", "error")
    assert failed.reason == "its process has not been heard of for 10 minutes"
    assert harness.trials(run.id)[0].status == "failed"
    assert harness.run(living.id).status == "running"


def test_its_late_report_is_refused_with_the_reason(harness: Harness) -> None:
    run = start(harness)
    harness.clock.advance(601)
    listen(harness)

    with pytest.raises(Conflict, match="its process has not been heard of for 10 minutes"):
        report(harness, run, scalar("accuracy", 1.0))
    with pytest.raises(Conflict, match="not been heard of"):
        report(harness, run, b"")
    with pytest.raises(Conflict, match="has ended already"):
        end(harness, run)


def test_a_server_that_was_away_gives_everyone_the_whole_time_again(harness: Harness) -> None:
    run = start(harness)
    harness.clock.advance(10_000)

    harness.restart()
    listen(harness)
    assert harness.run(run.id).status == "running"
    harness.clock.advance(601)
    listen(harness)
    assert harness.run(run.id).status == "failed"


@pytest.mark.parametrize("path", ["journal", "log", "end"])
def test_every_call_of_its_process_is_a_sign_of_life(harness: Harness, path: str) -> None:
    run = start(harness)
    harness.clock.advance(599)
    if path == "journal":
        report(harness, run, scalar("accuracy", 1.0))
    elif path == "log":
        harness.services.interactive.store_log(OWNER, run.id, "a", 0, b"x")
    else:
        end(harness, run)
    harness.clock.advance(599)

    listen(harness)

    assert harness.run(run.id).status == ("completed" if path == "end" else "running")


def test_loops_and_nodes_leave_it_alone(harness: Harness) -> None:
    harness.cluster("local-like", max_nodes=2)
    run = start(harness)

    for _ in range(5):
        harness.clock.advance(100)
        report(harness, run, b"")
        harness.settle()

    view = harness.run(run.id)
    assert (view.status, view.attempt, view.node_id, view.node_seconds) == ("running", 1, None, 0.0)
    assert harness.supply.started == {}


# -- experiments -----------------------------------------------------------------------------------------------------


def test_an_experiment_is_made_changed_and_found_by_its_id(harness: Harness) -> None:
    service = harness.services.experimenting
    made = service.ensure("a/b ä")

    changed = service.update(OWNER, "a/b ä", ExperimentUpdate(tags={"x": "1", "y": "2"}, is_archived=True))
    again = service.update(OWNER, "a/b ä", ExperimentUpdate(tags={"x": None}))

    assert (changed.tags, changed.is_archived) == ({"x": "1", "y": "2"}, True)
    assert (again.tags, again.is_archived, again.id) == ({"y": "2"}, True, made.id)
    assert service.ensure("a/b ä").id == made.id
    assert (made.runs_count, made.last_run) == (0, None)
    with pytest.raises(NotFound, match="there is no experiment 'other'"):
        service.update(OWNER, "other", ExperimentUpdate())
    with pytest.raises(InvalidInput):
        service.ensure(" ")


def test_an_experiment_goes_with_everything_its_runs_left(harness: Harness) -> None:
    kept, gone = start(harness, experiment="kept"), start(harness, experiment="gone")
    for run in (kept, gone):
        report(harness, run, child("aa") + scalar("accuracy", 0.5))
        harness.services.interactive.store_log(OWNER, run.id, "a.txt", 0, b"text")
        for path, content in (("x", b"of both"), ("own", run.id.encode())):
            harness.services.files.put_blob(sha256(content), [content])
            harness.services.files.keep_artifact(OWNER, run.id, path, sha256(content))

    with pytest.raises(Conflict, match="has runs that have not ended"):
        harness.services.experimenting.delete(OWNER, "gone")
    end(harness, gone)
    harness.services.experimenting.delete(OWNER, "gone")

    assert [one.name for one in harness.services.experiments()] == ["kept"]
    assert not exists(harness, gone.id)
    assert harness.services.runs.events(f"run:{gone.id}") == []
    assert not (harness.root / "logs" / gone.id).exists()
    with harness.services.database.read() as connection:
        for table in tables.metadata.sorted_tables:
            if "run_id" in table.c and table.name != "assets":
                ids = {row.run_id for row in connection.execute(table.select())}
                assert not {one for one in ids if one.startswith(gone.id)}, table.name
    assert values(harness, kept) == [0.5]
    assert harness.services.files.read_log(kept.id, "a.txt", 0, 10) == b"text"
    assert harness.services.files.open_artifact(kept.id, "x")[0].read_bytes() == b"of both"
    stored = {file.name for file in (harness.root / "blobs").rglob("*") if file.is_file()}
    assert any(sha256(kept.id.encode()) in name for name in stored)
    assert not any(sha256(gone.id.encode()) in name for name in stored)


def test_a_name_that_was_deleted_comes_again_with_another_id(harness: Harness) -> None:
    first = harness.services.experimenting.ensure("e")
    harness.services.experimenting.delete(OWNER, "e")

    assert harness.services.experimenting.ensure("e").id != first.id


def test_a_sweep_that_got_a_deleted_ones_id_is_run_by_its_own_definition(harness: Harness) -> None:
    from sublight.messages.definitions import SubmitRequest

    harness.cluster()

    def submit(argument: str) -> list[str]:
        sweep = harness.sweep(trial=harness.script(arguments=[argument]), max_trials=1)
        request = SubmitRequest(experiment="trying", target="cpu", id="mine", sweep=sweep)
        harness.services.runs.submit(OWNER, request)
        harness.settle()
        harness.agents()
        harness.settle()
        (agent, order), *_ = [(agent, order) for agent in harness.agents().values() for order in agent.orders()]
        agent.report(order.run_id, journal=scalar("accuracy", 0.5), started=1.0)
        agent.finish(order.run_id)
        harness.settle()
        return order.argv

    assert "--first" in submit("--first")
    harness.services.experimenting.delete(OWNER, "trying")
    assert "--second" in submit("--second")


def test_deleting_is_for_those_who_submit(harness: Harness) -> None:
    harness.services.experimenting.ensure("a b/c")
    reader = http(harness, token_of(harness, "rita", "reader"))
    eva = http(harness, token_of(harness, "eva", "data scientist"))

    assert reader.get("/api/v1/experiments/a%20b%2Fc").json()["name"] == "a b/c"
    assert reader.delete("/api/v1/experiments/a%20b%2Fc").status_code == 403
    assert eva.delete("/api/v1/experiments/a%20b%2Fc").status_code == 204
    assert reader.get("/api/v1/experiments/a%20b%2Fc").status_code == 404


def test_the_rows_of_interactive_runs_are_told_apart_from_others(harness: Harness) -> None:
    harness.cluster()
    harness.submit(harness.script())
    run = start(harness)

    with harness.services.database.read() as connection:
        assert [row.id for row in run_rows.unfinished_interactive(connection)] == [run.id]
        assert run.id not in [row.id for row in run_rows.queued(connection)]
        assert run_rows.unfinished_on_target(connection, "local") == []
