"""The first word of a node after a silence may be that an attempt is over; it is taken from wherever the run stands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sublight.core.run import RunStatus
from sublight.store import runs as run_rows
from tests.server.harness import Harness


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    made = Harness(tmp_path / ".sublight")
    made.cluster()
    yield made
    made.close()


@pytest.mark.parametrize("before", ["preparing", "running", "finishing", "lost"])
@pytest.mark.parametrize(
    ("end", "exit_code", "after"),
    [
        ("exited", 0, "completed"),
        ("exited", 1, "failed"),
        ("timeout", 143, "canceled"),
        ("failed_to_start", None, "failed"),
        ("stopped", None, "queued"),
    ],
)
def test_an_end_is_taken_from_every_status(
    harness: Harness, before: str, end: str, exit_code: int | None, after: str
) -> None:
    sweep = harness.submit(harness.sweep(max_trials=1))
    harness.settle()
    harness.agents()
    harness.settle()
    ((agent, order),) = [(agent, order) for agent in harness.agents().values() for order in agent.orders()]
    if before != "preparing":
        with harness.services.database.write() as connection:
            row = run_rows.get(connection, order.run_id)
            run_rows.move(
                connection, harness.services.database, row, RunStatus(before), time=harness.clock.now(), reason="test"
            )

    agent.finish(order.run_id, order.attempt, end=end, exit_code=exit_code)

    assert [trial.status for trial in harness.trials(sweep.id)] == [after]
