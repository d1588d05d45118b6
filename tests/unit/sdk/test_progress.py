"""What a person sees who waits."""

from __future__ import annotations

import io

import httpx
from rich.console import Console

from sublight.messages.clusters import NodeView
from sublight.messages.runs import BestTrial, RunView
from sublight.sdk.picture import Picture
from sublight.sdk.progress import LineDisplay, ScriptDisplay, chosen_trials, drawn, printable
from tests.unit.sdk.fake_server import Clock, FakeServer, a_cluster, a_run, a_sweep, a_trial

BEST = BestTrial(run_id="sweep-ab-3", index=3, value=0.9125, parameters={"lr": 0.123456789, "opt": "sgd"})


def node(node_id: str, state: str, *run_ids: str) -> NodeView:
    return NodeView(
        id=node_id,
        cluster="cpu",
        state=state,
        reason="kept for more runs",
        run_ids=list(run_ids),
        started=1.0,
        ready=None,
        idle_since=None,
        last_heartbeat=None,
    )


def picture(run: RunView, *trials: RunView) -> Picture:
    nodes = [node("cpu-aaaa", "busy", "sweep-ab-1"), node("cpu-bbbb", "idle"), node("cpu-cccc", "gone")]
    return Picture(run, a_cluster(nodes=nodes), list(trials))


def text_of(shown: Picture, *, width: int = 120, rows_max: int = 12) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(drawn(shown, now=185.0, rows_max=rows_max))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_sweep_is_drawn_with_trials_nodes_and_best() -> None:
    early = a_trial(2, status="canceled", end_reason="policy", ended=130.0, best_value=0.5)
    text = text_of(picture(a_sweep(best=BEST), a_trial(3, best_value=0.9125), early))

    assert "sweep-ab  exp on cpu  running  1 min 25 s" in text
    assert "2 of 8 trials ended: 2 completed; 2 active" in text
    assert "best accuracy 0.9125 in trial 3 (lr 0.1235, opt sgd)" in text
    assert "nodes 2 of 4: 1 busy, 1 idle" in text
    assert "cpu-aaaa" in text
    assert "cpu-cccc" not in text
    rows = text.splitlines()
    assert any("2" in row and "stopped early" in row and "lr 0.25" in row and "20 s" in row for row in rows)
    assert any("3" in row and "running" in row and "0.9125" in row for row in rows)


def test_a_narrow_terminal_gets_no_wider_lines() -> None:
    text = text_of(picture(a_sweep(best=BEST), *[a_trial(n) for n in range(5)]), width=60)

    assert max(len(line.rstrip()) for line in text.splitlines()) <= 60


def test_in_a_terminal_of_80_columns_number_status_value_and_time_stay_whole() -> None:
    parameters = {"learning_rate": 0.002968433, "num_epochs": 10, "batch_size": 150, "hidden_size": 100}
    early = a_trial(
        21, status="canceled", end_reason="policy", ended=130.0, best_value=0.8655, parameters=parameters,
        node_id="hypercomputecpu-abcd",
    )  # fmt: skip

    rows = [line.split() for line in text_of(picture(a_sweep(best=BEST), early), width=80).splitlines()]

    assert ["21", "stopped", "early", "0.8655", "20", "s"] in [row[:6] for row in rows]


def test_before_the_first_report_that_is_said() -> None:
    assert "no trial has reported 'accuracy' yet" in text_of(picture(a_sweep(created=0, active=0)))


def test_active_trials_have_their_row_before_ended_ones() -> None:
    trials = [a_trial(index, ended=120.0, status="completed") for index in range(9, 1, -1)] + [a_trial(1), a_trial(0)]

    assert [trial.index for trial in chosen_trials(trials, 4)] == [0, 1, 8, 9]


def test_lines_come_when_something_of_note_changes_and_not_more() -> None:
    out, clock = io.StringIO(), Clock()
    display = LineDisplay(out, clock=clock)

    def show(run: RunView) -> int:
        display.show(picture(run))
        clock.sleep(1)
        return len(out.getvalue().splitlines())

    assert show(a_sweep()) == 1
    assert show(a_sweep()) == 1
    assert show(a_sweep(active=1)) == 1  # a trial ended: that waits for the next line
    assert show(a_sweep(active=1, best=BEST)) == 2
    clock.sleep(10)
    assert show(a_sweep(active=0, best=BEST)) == 3
    clock.sleep(10)
    assert show(a_sweep(active=0, best=BEST)) == 3
    assert show(a_sweep(status="completed", reason="all 8 trials ended")) == 4
    assert out.getvalue().endswith("sweep-ab is completed: all 8 trials ended\n")


def test_a_script_shows_its_log_and_what_happens_to_it(server: FakeServer) -> None:
    path = "/api/v1/runs/exp-abc123/logs/content"
    text = {"Content-Type": "text/plain"}
    server.on(
        "GET", path, *[httpx.Response(200, content=piece, headers=text) for piece in (b"epoch 1\n", b"epoch 2\n")]
    )
    out, notes = io.StringIO(), io.StringIO()
    display = ScriptDisplay(server.client(), "exp-abc123", out=out, notes=notes)

    for run in (
        a_run(),
        a_run(),
        a_run(status="running", started=1.0, attempt=1),
        a_run(status="failed", started=1.0, attempt=1, reason="exit code 1"),
    ):
        display.show(Picture(run, None))

    assert out.getvalue() == "epoch 1\nepoch 2\n"
    assert notes.getvalue().splitlines() == [
        "sublight: exp-abc123 is queued: waits for a node of cpu",
        "sublight: exp-abc123 is running",
        "sublight: exp-abc123 is failed: exit code 1",
    ]


def test_what_a_run_is_called_cannot_steer_the_terminal() -> None:
    assert printable("a\x1b[2Jb\x07") == "a [2Jb "
    assert "\x1b" not in text_of(picture(a_sweep(name="\x1b]0;evil\x07", reason="\x1b[31m")))
