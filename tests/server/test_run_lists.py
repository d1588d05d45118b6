"""Finding runs: trials and children by their kind, one by its id, and those that ended in some way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sublight.core.errors import InvalidInput
from tests.server.harness import OWNER, Harness


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    made = Harness(tmp_path / ".sublight")
    made.cluster()
    yield made
    made.close()


def test_trials_are_listed_by_their_kind_and_found_by_their_id(harness: Harness) -> None:
    sweep = harness.submit(harness.sweep(max_trials=2))
    script = harness.submit(harness.script())
    harness.workspace.sweeps.step(None)
    trials = {f"{sweep.id}-0", f"{sweep.id}-1"}

    def found(**filters: str | bool) -> set[str]:
        return {run.id for run in harness.services.runs.list(**filters).runs}  # type: ignore[arg-type]

    assert found() == {sweep.id, script.id}
    assert found(kind="trial") == trials
    assert found(kind="trial", parent_id=sweep.id) == trials
    assert found(search=f"{sweep.id}-1") == {f"{sweep.id}-1"}
    assert found(search=sweep.id) == {sweep.id}
    assert found(include_children=True) == {sweep.id, script.id, *trials}


def test_runs_are_listed_by_how_they_ended(harness: Harness) -> None:
    canceled, _ = harness.submit(harness.script()), harness.submit(harness.script())
    harness.services.runs.cancel(OWNER, canceled.id)

    assert [run.id for run in harness.services.runs.list(end_reason="user").runs] == [canceled.id]
    with pytest.raises(InvalidInput, match="'early' is no end_reason; the reasons are finished"):
        harness.services.runs.list(end_reason="early")
