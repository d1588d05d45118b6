"""What people and machines get wrong is answered with one clear sentence each, and nothing is lost."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

import sublight as sl
from sublight.core.errors import Conflict, InvalidInput, NameTaken, NotFound, ServerUnavailable, StorageFull
from sublight.sdk.cluster import Cluster
from sublight.sdk.daemon import start_server
from tests.process.project import PATIENCE_SECONDS, QUICK_SETTINGS, Project, check_sentence, kill, wait_until

pytestmark = pytest.mark.process

needs_mounts = pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0, reason="only root on Linux can mount a small disk"
)

SILENT_SCRIPT = "from sublight import run\nrun.log('accuracy', 0.5)\n"
GREEDY_SCRIPT = """
with open("outputs/everything", "wb") as file:
    while True:
        file.write(bytes(100_000))
"""


@pytest.fixture(scope="module")
def small(shared_project: Project) -> Cluster:
    """A cluster of one node, for the tests that do it no harm."""
    return shared_project.cluster(1, "small")


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own on a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextlib.contextmanager
def other_program(port: int) -> Iterator[None]:
    """Something that is no Sublight server answers at a port; the server that had it may not have let go quite yet."""

    def listening() -> HTTPServer | None:
        try:
            return HTTPServer(("127.0.0.1", port), BaseHTTPRequestHandler)  # it answers 501 to everything
        except OSError:
            return None

    server = wait_until(listening, f"port {port} should become free")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def fill(disk: Path) -> Path:
    """Write a file until the disk is full; returns it."""
    filler = disk / "filler"
    with open(filler, "ab", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
    return filler


def last_words(process: subprocess.Popen[str]) -> str:
    """What a process that ends by itself says on standard error, without the lines of its log."""
    _, text = process.communicate(timeout=PATIENCE_SECONDS)
    return "\n".join(line for line in text.splitlines() if " INFO " not in line)


# -- a request that cannot be right -----------------------------------------------------------------------------------


def test_a_missing_script_is_named_with_the_nearest_one(shared_project: Project) -> None:
    with pytest.raises(InvalidInput) as caught:
        shared_project.script("trian.py")

    check_sentence(caught.value, "trian.py", "train.py")


def test_a_script_that_the_ignore_rules_leave_out_is_refused_before_anything_is_sent(project: Project) -> None:
    project.write(".amlignore", "train.py\n")

    with pytest.raises(InvalidInput) as caught:
        project.submit(project.script(), on="local")

    check_sentence(caught.value, "train.py", "ignore rules")
    assert project.workspace.runs() == []


def test_a_script_that_never_reports_the_primary_metric_fails_its_sweep(
    shared_project: Project, small: Cluster
) -> None:
    shared_project.write("silent.py", SILENT_SCRIPT)
    script = shared_project.script("silent.py")

    sweep = shared_project.submit(shared_project.sweep(8, script=script), on=small).wait(timeout=60)

    assert (sweep.status, sweep.end_reason) == ("failed", "error")
    check_sentence(sweep.reason, "never reported the primary metric 'score'", "accuracy")
    with pytest.raises(NotFound) as caught:
        _ = sweep.best
    check_sentence(caught.value, "no best trial", "score")


def test_a_script_that_always_fails_ends_its_sweep_early(shared_project: Project, small: Cluster) -> None:
    shared_project.write("breaks.py", "import there_is_no_such_module\n")

    sweep = shared_project.submit(shared_project.sweep(8, script=shared_project.script("breaks.py")), on=small)
    sweep.wait(timeout=60)

    assert (sweep.status, sweep.end_reason) == ("failed", "error")
    # The script's own last words are quoted, whatever they are; the sentence around them is ours.
    sentence, quote, words = sweep.reason.partition("its last line: ")
    check_sentence(sentence + quote, "trials failed", "exit code 1")
    assert words == "ModuleNotFoundError: No module named 'there_is_no_such_module'"


def test_a_cluster_name_that_is_taken_is_refused_and_the_first_cluster_stays(
    shared_project: Project, small: Cluster
) -> None:
    with pytest.raises(NameTaken) as caught:
        shared_project.cluster(3, "small")

    check_sentence(caught.value, "small")
    assert small.refresh().max_nodes == 1


def test_an_unknown_cluster_is_named_and_no_run_is_made(shared_project: Project) -> None:
    before = len(shared_project.workspace.runs(limit=None))

    with pytest.raises(NotFound) as caught:
        shared_project.submit(shared_project.script(), on="smal")

    check_sentence(caught.value, "smal")
    assert len(shared_project.workspace.runs(limit=None)) == before


def test_a_size_that_this_host_cannot_offer_makes_an_unusable_cluster_that_takes_no_runs(
    shared_project: Project,
) -> None:
    big = shared_project.workspace.clusters.create("gpus", size="STANDARD_NC24rs_v3", max_nodes=2)
    if big.state == "ready":
        pytest.skip("this host has that many GPUs")

    assert big.state == "unusable"
    check_sentence(big.reason, "GPU")
    with pytest.raises(Conflict) as caught:
        shared_project.submit(shared_project.script(), on=big)
    check_sentence(caught.value, "gpus", "GPU")


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: sl.uniform(1, 0), "uniform"),
        (lambda: sl.loguniform(0, 1), "loguniform"),
        (lambda: sl.loguniform(-5, -1), "loguniform"),
        (lambda: sl.choice(), "choice"),
        (lambda: sl.randint(0), "randint"),
        (lambda: sl.quniform(0, 1, 0), "q"),
        (lambda: sl.normal(0, -1), "sigma"),
    ],
)
def test_a_distribution_with_impossible_arguments_is_refused_where_it_is_made(
    make: Callable[[], object], word: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        make()

    check_sentence(caught.value, word, "got")


def test_a_sampler_that_does_not_fit_the_space_is_refused_before_anything_is_sent(shared_project: Project) -> None:
    with pytest.raises(InvalidInput) as caught:
        sl.Sweep(
            shared_project.script(),
            space={"x": sl.uniform(0, 1)},
            sampler=sl.Grid(),
            goal=sl.maximize("score"),
            max_trials=3,
        )

    check_sentence(caught.value, "grid", "'x'")


# -- the server's own surroundings ------------------------------------------------------------------------------------


def test_a_second_server_on_the_same_workspace_ends_with_a_sentence_and_the_first_goes_on(
    shared_project: Project, small: Cluster
) -> None:
    first, url = shared_project.server_pid, shared_project.workspace.url

    second = shared_project.serve()

    check_sentence(last_words(second), "already owns the workspace", str(first))
    assert second.returncode == 1
    assert shared_project.server_pid == first
    assert shared_project.connect().url == url
    run = shared_project.submit(shared_project.script(), on=small).wait(timeout=60)
    shared_project.check_stored(run)


def test_a_port_that_is_in_use_is_named(project: Project) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        server = project.serve("--port", str(port))

        check_sentence(last_words(server), str(port), "cannot be used", "--port")
        assert server.returncode == 1
        assert not (project.root / "server.json").exists()


def test_a_server_whose_port_was_taken_meanwhile_finds_another(project: Project) -> None:
    project.cluster(1)
    run = project.submit(project.script("train.py", "--gate", "go"))
    wait_until(lambda: project.ledger("beat"), "the run should have begun")
    url = project.workspace.url
    project.kill_server()
    with other_program(int(url.rpartition(":")[2])):
        again = project.connect()

        assert again.url != url
        project.open_gate("go")
        run = again.run(run.id).wait(timeout=60)
    assert (run.status, run.view.attempt) == ("completed", 1), run.reason
    project.check_stored(run)


def test_settings_that_make_no_sense_keep_the_server_from_starting(project: Project) -> None:
    (project.root / "settings.json").write_text("{not json")

    server = project.serve()

    check_sentence(last_words(server), "settings.json", "no JSON", "mend it")
    assert server.returncode == 1


def test_a_mended_settings_file_is_all_that_it_takes(project: Project) -> None:
    run_id = project.submit(project.script(), on="local").wait(timeout=60).id
    project.kill_server()
    (project.root / "settings.json").write_text("{")
    with pytest.raises(ServerUnavailable, match="no JSON"):
        project.connect()

    project.write_settings(QUICK_SETTINGS)

    project.check_stored(project.connect().run(run_id))


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"url": 5}', '{"url": "http://127.0.0.1:9", "pid": 1, "version": "0", "workspace_id": "x"}'],
)
def test_a_damaged_or_outdated_server_file_does_not_keep_anyone_out(project: Project, text: str) -> None:
    project.workspace  # noqa: B018  # the first server
    project.kill_server()
    (project.root / "server.json").write_text(text)

    workspace = project.connect()

    assert workspace.runs() == []
    assert json.loads((project.root / "server.json").read_text())["url"] == workspace.url


def test_a_damaged_database_is_named_and_left_as_it_is(project: Project) -> None:
    project.workspace  # noqa: B018  # the first server makes it
    kill(project.server_pid)
    for name in ("sublight.db-wal", "sublight.db-shm"):
        (project.root / name).unlink(missing_ok=True)
    damaged = b"this was a database once" * 1000
    (project.root / "sublight.db").write_bytes(damaged)

    server = project.serve()

    check_sentence(last_words(server), "sublight.db", "backup")
    assert server.returncode == 1
    assert (project.root / "sublight.db").read_bytes() == damaged


# -- full disks -------------------------------------------------------------------------------------------------------


@needs_mounts
def test_a_full_disk_refuses_what_is_new_and_keeps_what_there_was(project: Project) -> None:
    with small_disk(project.root, "12m") as disk:
        try:
            project.write_settings(QUICK_SETTINGS)
            project.cluster(1)
            earlier = project.submit(project.script()).wait(timeout=60)
            waiting = project.submit(project.script("train.py", "--gate", "go"))
            wait_until(lambda: project.ledger("beat", waiting.id), "the second run should have begun")

            filler = fill(disk)
            with pytest.raises(StorageFull) as caught:
                project.submit(project.script())
            check_sentence(caught.value, "disk", "full")
            project.write("new.py", "print('x' * 100)" * 500)
            with pytest.raises(StorageFull) as caught:
                project.submit(project.script("new.py"))
            check_sentence(caught.value, "disk", "full")
            project.check_stored(earlier.refresh())
            assert {run.id for run in project.workspace.runs()} == {earlier.id, waiting.id}
            # A server on a full disk still lets itself be stopped.
            pid = project.server_pid
            project.workspace.client.post("/api/v1/shutdown", object)
            wait_until(lambda: pid not in project.processes(), "the server should have stopped")
            filler.unlink()

            project.connect()
            project.open_gate("go")
            assert waiting.wait(timeout=60).status == "completed", waiting.reason
            assert waiting.view.attempt == 1
            project.check_stored(waiting)
            later = project.submit(project.script()).wait(timeout=60)
            project.check_stored(later)
        finally:
            project.stop()


@needs_mounts
def test_a_server_that_starts_on_a_full_disk_says_so_and_loses_nothing(project: Project) -> None:
    with small_disk(project.root, "12m") as disk:
        try:
            project.write_settings(QUICK_SETTINGS)
            run = project.submit(project.script(), on="local").wait(timeout=60)
            project.kill_server()
            filler = fill(disk)

            server = project.serve()
            check_sentence(last_words(server), "disk", "full")
            assert server.returncode == 1
            # The log that the server would write its last words to is on the full disk, too.
            with pytest.raises(ServerUnavailable) as caught:
                start_server(project.folder)
            check_sentence(caught.value, "full", "free some space")
            filler.unlink()

            project.check_stored(project.connect().run(run.id))
        finally:
            project.stop()


@needs_mounts
def test_a_trial_that_fills_the_disk_of_its_node_does_not_take_the_agent_down(project: Project) -> None:
    project.write("greedy.py", GREEDY_SCRIPT)
    with small_disk(project.root / "nodes", "6m"):
        try:
            project.cluster(1)
            before = project.submit(project.script()).wait(timeout=60)
            agents = project.agents()

            greedy = project.submit(project.script("greedy.py")).wait(timeout=60)
            after = project.submit(project.script()).wait(timeout=60)

            assert (greedy.status, greedy.end_reason) == ("failed", "error")
            check_sentence(greedy.reason, "disk of node", "exit code 1")
            for run in (before, after):
                assert run.status == "completed", run.reason
                project.check_stored(run)
            assert project.agents() == agents
        finally:
            project.stop()
