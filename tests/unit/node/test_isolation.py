from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sublight.host.cgroups import find_base
from sublight.host.nodes import sweep_node
from sublight.host.processes import process_stat
from sublight.node.isolation import CgroupIsolation, SweepCage, SweepIsolation, choose_isolation, death_prefix
from sublight.node.launcher import Command, SystemLauncher
from tests.process.scripted_server import eventually


def a_command(directory: Path, *argv: str, name: str = "run-1.1") -> Command:
    return Command(
        name=name,
        argv=list(argv),
        environment={"PATH": os.environ["PATH"], "RUN": name},
        mark={"RUN": name},
        directory=directory,
        log=directory / "log",
    )


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "300"], stdin=subprocess.DEVNULL) as process:
        yield process
        process.kill()


def test_a_number_that_passed_to_a_stranger_is_not_ours(bystander):
    isolation = SweepIsolation()
    isolation.cage("run-2.1", {"RUN": "other"})
    cage = SweepCage(isolation, {"RUN": "none"})
    cage.main = bystander.pid
    cage._seen[bystander.pid] = 1.0

    assert bystander.pid not in cage.members()


def test_a_forced_way_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr("sublight.node.isolation._become_subreaper", lambda: None)

    assert choose_isolation("n1", tmp_path, "sweep").name == "sweep"


def test_the_best_way_is_the_control_group_and_it_is_removed_at_the_end(tmp_path, monkeypatch):
    if find_base() is None:
        pytest.skip("this machine lets us make no cgroups")
    monkeypatch.setattr("sublight.node.isolation._become_subreaper", lambda: None)
    isolation = choose_isolation("n1", tmp_path)
    assert isinstance(isolation, CgroupIsolation)
    group = Path((tmp_path / "cgroup").read_text().strip())
    assert group.is_dir()

    isolation.close()
    assert not group.exists()
    assert sweep_node("n1", tmp_path) == []


def test_a_machine_without_control_groups_sweeps(tmp_path, monkeypatch):
    monkeypatch.setattr("sublight.node.isolation._become_subreaper", lambda: None)
    monkeypatch.setattr("sublight.node.isolation.find_base", lambda: None)

    assert choose_isolation("n1", tmp_path).name == "sweep"


def test_a_program_that_is_not_there_starts_nothing(tmp_path):
    launcher = SystemLauncher(SweepIsolation(), death_prefix())

    with pytest.raises(FileNotFoundError, match="there is no program nowhere"):
        launcher.start(a_command(tmp_path, "nowhere"))
    (tmp_path / "text").write_text("x")
    with pytest.raises(PermissionError, match="is not an executable file"):
        launcher.start(a_command(tmp_path, "./text"))


def test_a_started_process_leads_its_own_session_without_input_and_logs_both_outputs(tmp_path):
    code = "import os, sys; print(os.getsid(0) == os.getpid(), sys.stdin.read() == ''); print('err', file=sys.stderr)"
    process = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, time; from pathlib import Path\n"
            "from tests.unit.node.test_isolation import a_command, SystemLauncher, SweepIsolation, death_prefix\n"
            "launcher = SystemLauncher(SweepIsolation(), death_prefix())\n"
            f"started = launcher.start(a_command(Path({str(tmp_path)!r}), sys.executable, '-uc', {code!r}))\n"
            "while not (codes := launcher.ended()): time.sleep(0.01)\n"
            "assert codes == {started.pid: 0}, codes\n"
            "assert started.is_gone()",
        ],
        cwd=Path(__file__).parents[3],
        timeout=30,
        check=False,
    )

    assert process.returncode == 0
    assert (tmp_path / "log").read_text() == "True True\nerr\n"


def test_a_child_dies_with_the_process_that_started_it_by_this_prefix(tmp_path):
    if not death_prefix():
        pytest.skip("this machine has no setpriv with --pdeathsig")
    script = "import subprocess, sys, time\nprint(subprocess.Popen(sys.argv[1:]).pid, flush=True)\ntime.sleep(300)"
    command = [sys.executable, "-c", script, *death_prefix(), "sleep", "300"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        # Until it has become "sleep", it is still asking for its death signal.
        assert eventually(lambda: b"sleep" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")[0])
        parent.kill()

    assert eventually(lambda: (stat := process_stat(child)) is None or not stat.is_alive)
