"""Statuses of runs and the moves between them."""

from __future__ import annotations

import pytest

from sublight.core.run import LEGAL_MOVES, TERMINAL_STATUSES, RunStatus, is_legal_move


@pytest.mark.parametrize("status", sorted(TERMINAL_STATUSES))
def test_an_ended_run_never_moves_again(status: RunStatus) -> None:
    assert [other for other in RunStatus if is_legal_move(status, other)] == [status]


@pytest.mark.parametrize("status", list(RunStatus))
def test_every_status_leads_to_an_end(status: RunStatus) -> None:
    reached, new = set(), {status}
    while new:
        reached |= new
        new = {after for before in new for after in LEGAL_MOVES[before]} - reached

    assert reached & TERMINAL_STATUSES


def test_a_run_is_only_placed_from_the_queue_or_when_its_silent_node_came_back() -> None:
    before = {status for status in RunStatus if RunStatus.PREPARING in LEGAL_MOVES[status]}

    assert before == {RunStatus.QUEUED, RunStatus.LOST}
