"""The journal as a training script writes it: readable by the server, whole under threads, processes and full disks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sublight.messages import journal as messages
from sublight.sdk import journal
from sublight.sdk.journal import Journal, JournalReports, escape
from sublight.server.services.journal import read_entries

SHARED_CONSTANTS = [
    "RUN_ID_VARIABLE",
    "ATTEMPT_VARIABLE",
    "EXPERIMENT_VARIABLE",
    "PARENT_RUN_ID_VARIABLE",
    "RUN_DIRECTORY_VARIABLE",
    "JOURNAL_FILE",
    "UPLOADS_FOLDER",
]


def lines_in(directory: Path) -> list[str]:
    text = (directory / "journal").read_text(encoding="utf-8")
    assert text.endswith("\n")
    return text[:-1].split("\n")


def run_script(directory: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a Python of its own, with ``directory`` as its run's folder."""
    environment = {**os.environ, "SUBLIGHT_RUN_DIRECTORY": str(directory)}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=60
    )


@pytest.mark.parametrize("name", SHARED_CONSTANTS)
def test_the_constants_are_those_of_the_messages(name: str) -> None:
    assert getattr(journal, name) == getattr(messages, name)


@given(st.text(alphabet=st.one_of(st.sampled_from("\\tnr\t\n\r"), st.characters(exclude_characters="\0"))))
def test_an_escaped_name_has_no_separator_and_reads_back_as_it_was(name: str) -> None:
    escaped = escape(name)

    assert not set(escaped) & set("\t\n\r")
    assert messages.unescape(escaped) == name


def test_a_scalar_is_a_line_of_name_step_value_and_time(tmp_path: Path) -> None:
    JournalReports(Journal(str(tmp_path))).scalar("accuracy", 3, 0.8125)

    kind, name, step, value, time = lines_in(tmp_path)[0].split("\t")
    assert (kind, name, step, value) == ("m", "accuracy", "3", "0.8125")
    assert float(time) > 1.7e9


def test_a_scalar_of_a_child_begins_with_its_id(tmp_path: Path) -> None:
    JournalReports(Journal(str(tmp_path)), child="0a1b").scalar("accuracy", None, 0.5)

    assert lines_in(tmp_path)[0].startswith("c\t0a1b\tm\taccuracy\t\t0.5\t")


def test_a_record_is_one_line_of_json_whatever_it_holds(tmp_path: Path) -> None:
    JournalReports(Journal(str(tmp_path))).record("list", "wörds", ["a\nb", "tab\there", "\ud800"], step=2)

    (line,) = lines_in(tmp_path)
    record = json.loads(line.removeprefix("r\t"))
    assert record["content"] == ["a\nb", "tab\there", "?"]
    assert (record["kind"], record["name"], record["step"]) == ("list", "wörds", 2)


def test_the_server_reads_what_was_written(tmp_path: Path) -> None:
    run, child = (JournalReports(Journal(str(tmp_path)), child) for child in (None, "0a1b"))

    run.scalar("loss\twith tab", None, float("nan"))
    run.scalar("loss\twith tab", None, float("-inf"))
    child.scalar("loss", 7, 0.1)
    child.record("row", "table", {"x": 1})
    entries = read_entries((tmp_path / "journal").read_bytes(), lambda _child, _name: 0)

    own = entries.points[None]["loss\twith tab"]
    assert (list(own.steps), str(list(own.values))) == ([0, 1], "[nan, -inf]")
    assert list(entries.points["0a1b"]["loss"].values) == [0.1]
    assert entries.records[0]["child"] == "0a1b"
    assert entries.unreadable_lines == 0


def test_a_record_beyond_the_limit_is_refused_and_nothing_of_it_is_written(tmp_path: Path) -> None:
    reports = JournalReports(Journal(str(tmp_path)))

    with pytest.raises(ValueError, match=r"one record may have 4,194,304; write it to a file and use run\.upload_file"):
        reports.record("list", "big", ["x" * 5_000_000])

    assert (tmp_path / "journal").read_bytes() == b""


@pytest.mark.parametrize("name", ["", "x" * 257, "nul\0"])
def test_a_name_that_cannot_be_stored_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="the name of a metric must have 1 to 256 characters"):
        JournalReports(Journal(str(tmp_path))).scalar(name, None, 1.0)


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="the name of a metric must be text, got list"):
        JournalReports(Journal(str(tmp_path))).scalar(["loss"], None, 1.0)  # type: ignore[arg-type]


def test_the_names_kept_ready_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_PREPARED_NAMES_MAX", 3)
    reports = JournalReports(Journal(str(tmp_path)))

    for number in range(10):
        reports.scalar(f"metric {number}", None, 1.0)

    assert len(lines_in(tmp_path)) == 10
    assert len(reports._beginnings) <= 3


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="/dev/full is the full disk of this test")
def test_on_a_full_disk_the_script_goes_on_and_is_told_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "journal").symlink_to("/dev/full")
    reports = JournalReports(Journal(str(tmp_path)))

    for step in range(3):
        reports.scalar("loss", step, 0.5)

    assert capfd.readouterr().err == (
        "sublight: warning: the journal cannot be written (No space left on device); the script goes on, "
        "but what it reports is lost until that is mended\n"
    )


def test_a_run_directory_that_vanished_does_not_stop_the_script(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    reports = JournalReports(Journal(str(tmp_path / "gone")))

    reports.scalar("loss", 0, 0.5)

    assert capfd.readouterr().err.count("the journal cannot be opened (No such file or directory)") == 1


def test_a_record_cut_by_a_full_disk_is_completed_when_there_is_room_again(tmp_path: Path) -> None:
    result = run_script(
        tmp_path,
        "import resource\n"
        "from sublight import run\n"
        "hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))\n"
        "for step in range(100): run.log('loss', 0.5, step=step)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))\n"
        "for step in range(100, 110): run.log('loss', 0.5, step=step)\n",
    )

    steps = [int(line.split("\t")[2]) for line in lines_in(tmp_path)]
    assert {len(line.split("\t")) for line in lines_in(tmp_path)} == {5}
    assert steps[-10:] == list(range(100, 110))
    assert steps[:-10] == list(range(len(steps) - 10))
    assert result.stderr.count("warning") == 1


def test_a_forked_child_does_not_write_the_rest_of_its_parents_record(tmp_path: Path) -> None:
    target = Journal(str(tmp_path))
    target._torn.append((os.getpid() + 1, b"the end of another process's record\n"))

    target.append(b"m\tloss\t0\t0.5\t1.0\n")

    assert lines_in(tmp_path) == ["m\tloss\t0\t0.5\t1.0"]


def test_a_script_that_closes_all_descriptors_goes_on_reporting(tmp_path: Path) -> None:
    run_script(
        tmp_path,
        "import os\nfrom sublight import run\nrun.log('loss', 0.5)\nos.closerange(3, 100)\nrun.log('loss', 0.4)\n",
    )

    assert [line.split("\t")[3] for line in lines_in(tmp_path)] == ["0.5", "0.4"]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_records_of_many_threads_and_processes_stay_whole(tmp_path: Path, method: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import multiprocessing, sys, threading\n"
        "from sublight import run\n"
        "def report(worker):\n"
        "    names = [f'{worker}-{thread}' for thread in range(3)]\n"
        "    threads = [threading.Thread(target=many, args=(name,)) for name in names]\n"
        "    [thread.start() for thread in threads]\n"
        "    [thread.join() for thread in threads]\n"
        "def many(name):\n"
        "    for step in range(300): run.log(name, 0.5, step=step)\n"
        "if __name__ == '__main__':\n"
        "    run.log('first', 1.0)\n"
        "    context = multiprocessing.get_context(sys.argv[1])\n"
        "    workers = [context.Process(target=report, args=(number,)) for number in range(3)]\n"
        "    [worker.start() for worker in workers]\n"
        "    [worker.join() for worker in workers]\n"
    )
    environment = {**os.environ, "SUBLIGHT_RUN_DIRECTORY": str(tmp_path)}

    subprocess.run([sys.executable, str(script), method], env=environment, check=True, timeout=60)

    steps: dict[str, list[int]] = {}
    for line in lines_in(tmp_path):
        _, name, step, _, _ = line.split("\t")
        steps.setdefault(name, []).append(int(step or 0))
    assert steps.pop("first") == [0]
    assert len(steps) == 9
    assert all(reported == list(range(300)) for reported in steps.values())
