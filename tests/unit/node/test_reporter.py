from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sublight.core.errors import ServerUnavailable
from sublight.messages.nodes import FileBytes, Report, ReportAnswer, StoredOffsets
from sublight.node.reporter import Reporter
from tests.unit.node.fakes import World, an_order

LOG = "user_logs/std_log.txt"
ORDER = an_order("run-1", [], ["{shell}", "-c", "sleep 1"])


class Server:
    """Stores what is reported, as the protocol says; ``trouble`` decides the fate of the next reports."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.journal = b""
        self.logs: dict[str, bytes] = {}
        self.trouble: list[str] = []
        self.is_superseded = False
        self.bytes_taken_max: int | None = None

    def report(self, report: Report, timeout_seconds: float) -> ReportAnswer:
        trouble = self.trouble.pop(0) if self.trouble else ""
        if trouble == "lost":
            raise ServerUnavailable("lost")
        self.reports.append(report)
        answers = []
        for item in report.attempts:
            if item.journal is not None:
                self.journal = self._stored(self.journal, item.journal)
            for log in item.logs:
                self.logs[log.path] = self._stored(self.logs.get(log.path, b""), log)
            answers.append(
                StoredOffsets(
                    run_id=item.run_id,
                    attempt=item.attempt,
                    superseded=self.is_superseded,
                    journal=len(self.journal),
                    logs={log.path: len(self.logs[log.path]) for log in item.logs},
                )
            )
        if trouble == "answer lost":
            raise ServerUnavailable("answer lost")
        return ReportAnswer(attempts=answers)

    def _stored(self, before: bytes, chunk: FileBytes) -> bytes:
        assert chunk.offset <= len(before), "a gap"
        return before + chunk.data[len(before) - chunk.offset :][: self.bytes_taken_max]

    @property
    def phases(self) -> list[str]:
        return [item.phase for report in self.reports for item in report.attempts]


class Desk:
    """A reporter with a world to report of."""

    def __init__(self, directory: Path) -> None:
        self.world = World(directory)
        self.server = Server()
        self.superseded: list[tuple[str, int]] = []
        self.reporter = Reporter(
            self.server,  # type: ignore[arg-type]
            incarnation="life-1",
            lease=self.world.lease,
            attempts=self.world.executor.attempts,
            superseded=self.superseded.append,
            fenced=lambda reason: None,
            clock=lambda: self.world.time,
        )
        self.world.order(ORDER)
        self.directory = self.world.executor.attempts[("run-1", 1)].directory

    def write(self, path: str, data: bytes) -> None:
        with open(self.directory / path, "ab") as file:
            file.write(data)

    def report_all(self) -> None:
        for _ in range(50):
            try:
                if not self.reporter.report() and self.reporter.has_reported_all:
                    return
            except ServerUnavailable:
                continue
            self.world.time += 1


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "nodes" / "n1")


def test_a_short_attempt_takes_one_report_for_its_start_and_one_for_all_the_rest(desk):
    desk.reporter.report()
    desk.write("journal", b"m\ta\t1\t0.5\t1\n")
    desk.write("std_log", b"hello\n")
    desk.world.end_main(0)
    desk.reporter.report()

    assert desk.server.phases == ["running", "finished"]
    assert desk.server.journal == b"m\ta\t1\t0.5\t1\n"
    assert desk.server.logs == {LOG: b"hello\n"}
    assert desk.reporter.has_reported_all


def test_a_report_without_news_is_a_heartbeat_that_renews_the_lease(desk):
    desk.reporter.report()
    desk.world.time += 50
    desk.reporter.report()

    assert desk.server.reports[-1].attempts == []
    assert desk.world.lease.seconds_left() == 60


@pytest.mark.parametrize("trouble", ["lost", "answer lost"])
def test_after_a_failed_report_the_same_bytes_are_reported_and_stored_once(desk, trouble):
    desk.server.trouble = ["", trouble, trouble]
    desk.reporter.report()
    desk.write("journal", b"one\n")
    desk.write("std_log", b"1")
    for more in (b"two\n", b"three\n"):
        with pytest.raises(ServerUnavailable):
            desk.reporter.report()
        desk.write("journal", more)
    desk.world.end_main(0)
    desk.report_all()

    assert desk.server.journal == b"one\ntwo\nthree\n"
    assert desk.server.logs == {LOG: b"1"}


def test_the_lease_is_renewed_from_the_moment_of_sending(desk):
    original = desk.server.report

    def slow_report(report, timeout_seconds):
        desk.world.time += 20
        return original(report, timeout_seconds)

    desk.server.report = slow_report
    desk.reporter.report()

    assert desk.world.lease.seconds_left() == 40


def test_a_server_that_takes_only_a_part_gets_the_rest_and_the_end_only_then(desk):
    desk.server.bytes_taken_max = 4
    desk.write("std_log", b"0123456789")
    desk.world.end_main(0)
    desk.report_all()

    assert desk.server.logs == {LOG: b"0123456789"}
    assert desk.reporter.has_reported_all


def test_finished_is_said_when_everything_is_shipped_and_not_before(desk):
    desk.write("std_log", b"x" * 2_500_000)
    desk.write("journal", b"m\ta\t\t1.0\t1\n")
    desk.world.end_main(3)
    desk.report_all()

    assert desk.server.phases == ["finishing", "finishing", "finished"]
    assert len(desk.server.logs[LOG]) == 2_500_000
    assert desk.server.reports[-1].attempts[0].exit_code == 3


def test_a_report_has_a_limit_and_the_turn_changes(desk):
    second = replace(ORDER, run_id="run-2")
    desk.world.order(ORDER, second)
    desk.reporter._bytes_max = 1_000_000
    for attempt in desk.world.executor.attempts.values():
        (attempt.directory / "std_log").write_bytes(b"x" * 3_000_000)
    reported = []
    for _ in range(4):
        desk.reporter.report()
        reported.append([item.run_id for item in desk.server.reports[-1].attempts if item.logs])
        assert sum(len(log.data) for item in desk.server.reports[-1].attempts for log in item.logs) <= 1_000_000

    assert {run_id for run_ids in reported for run_id in run_ids} == {"run-1", "run-2"}


def test_logs_of_the_script_are_shipped_under_their_own_names(desk):
    desk.write("work/logs/train.log", b"step 1\n")
    (desk.directory / "work/logs/link").symlink_to("/etc/passwd")
    desk.world.end_main(0)
    desk.report_all()

    assert desk.server.logs == {"logs/train.log": b"step 1\n"}


def test_of_too_many_logs_the_report_says_which_are_not_kept(desk):
    for number in range(103):
        desk.write(f"work/logs/{number:03d}.log", b"x")
    desk.world.end_main(0)
    desk.report_all()

    assert len(desk.server.logs) == 100
    left_out = sorted({f"logs/{number:03d}.log" for number in range(103)} - set(desk.server.logs))
    message = desk.server.reports[-1].attempts[0].message
    assert message == f"of ./logs only 100 files are kept; {left_out[0]} and 2 more were not"


def test_what_is_superseded_is_told_once_and_reported_no_more(desk):
    desk.server.is_superseded = True
    desk.reporter.report()
    desk.write("std_log", b"more")
    desk.reporter.report()

    assert desk.superseded == [("run-1", 1)]
    assert desk.server.reports[-1].attempts == []


def test_an_attempt_that_is_still_unpacking_is_not_worth_a_report(tmp_path):
    desk = Desk(tmp_path / "nodes" / "n1")
    desk.world.holds_jobs = True
    desk.world.order(ORDER, replace(ORDER, run_id="run-2"))
    desk.reporter.report()

    assert [item.run_id for item in desk.server.reports[-1].attempts] == ["run-1"]


def test_an_attempt_that_failed_to_start_finishes_with_its_sentence(desk):
    desk.world.order(ORDER, replace(ORDER, run_id="run-2", environment="gpu-env"))
    desk.reporter.report()
    item = next(item for item in desk.server.reports[-1].attempts if item.run_id == "run-2")

    assert (item.phase, item.end, item.started) == ("finished", "failed_to_start", None)
    assert "got 'gpu-env'" in item.message


def test_an_attempt_that_left_the_node_is_not_reported_any_more(desk):
    desk.reporter.report()
    desk.world.order()
    desk.reporter.report()

    assert desk.server.reports[-1].attempts == []
    assert desk.reporter.has_reported_all
