"""What is left of a node that is gone: a line in its cluster's events, and nothing on disk."""

from __future__ import annotations

from pathlib import Path

from sublight.engines.fake import FakeEngine
from sublight.wiring import EngineSupply
from tests.server.harness import Harness


def test_the_folder_of_a_gone_node_is_removed_once_and_its_last_line_kept(tmp_path: Path) -> None:
    harness = Harness(tmp_path / ".sublight")
    harness.cluster(max_nodes=1)
    run = harness.submit(harness.script(retries_max=0))
    harness.settle()
    (node_id,) = harness.agents()
    harness.settle()
    assert harness.supply.removed == []

    harness.supply.dead[node_id] = "its agent was killed"
    for _ in range(3):
        harness.settle()

    assert harness.run(run.id).status == "failed"
    assert harness.supply.removed == [node_id]
    (swept,) = [event for event in harness.services.clusters.events("cpu") if event.kind == "swept"]
    assert swept.reason == (f"{node_id} is removed from disk; the last line of its agent's log: agent ends exit_code=0")
    harness.close()


def test_a_removed_node_leaves_nothing_on_disk_and_others_stay(tmp_path: Path) -> None:
    for name in ("cpu-aaaa", "cpu-bbbb"):
        work = tmp_path / "nodes" / name / "runs" / "r-1" / "work"
        work.mkdir(parents=True)
        (work / "model").write_bytes(b"weights")
        work.chmod(0o500)
        (tmp_path / "nodes" / name / "agent.log").write_text("agent starts\nagent ends exit_code=0\n")
    supply = EngineSupply(FakeEngine(), tmp_path)

    assert supply.remove_node("cpu-aaaa") == "agent ends exit_code=0"
    assert supply.remove_node("cpu-aaaa") == ""

    assert [folder.name for folder in (tmp_path / "nodes").iterdir()] == ["cpu-bbbb"]
    assert (tmp_path / "nodes/cpu-bbbb/runs/r-1/work/model").exists()
