"""The loops under the reconcilers: hints make a pass early, and however many come, everything is looked at in time."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sublight.server.reconcilers.loop import Loop


class Steps:
    """Records what a loop asks for, and lets a test wait for it."""

    def __init__(self) -> None:
        self.seen: list[set[str] | None] = []
        self._news = threading.Condition()
        self.on_step: Callable[[], None] = lambda: None

    def __call__(self, hints: set[str] | None) -> None:
        with self._news:
            self.seen.append(hints)
            self._news.notify_all()
        self.on_step()

    def wait_for(self, condition: Callable[[], bool]) -> bool:
        with self._news:
            return self._news.wait_for(condition, timeout=30)


def test_the_first_pass_looks_at_everything_and_a_hint_makes_the_next_one_early() -> None:
    steps = Steps()
    loop = Loop("test", steps, tick_seconds=3600)
    loop.start()
    try:
        assert steps.wait_for(lambda: steps.seen == [None])
        loop.hint({"run:a"})
        assert steps.wait_for(lambda: steps.seen == [None, {"run:a"}])
    finally:
        loop.stop()


def test_everything_is_looked_at_each_tick_although_hints_never_stop_coming() -> None:
    now = 0.0
    steps = Steps()
    loop = Loop("test", steps, tick_seconds=1.0, clock=lambda: now)

    def hint_again() -> None:
        nonlocal now
        now += 0.3
        loop.hint({"run:busy"})

    steps.on_step = hint_again
    loop.start()
    try:
        assert steps.wait_for(lambda: steps.seen.count(None) >= 3)
    finally:
        loop.stop()
    assert {"run:busy"} in steps.seen


def test_a_pass_that_fails_is_tried_again_with_everything() -> None:
    steps = Steps()
    failures = [RuntimeError("the disk is full")]

    def fail_once() -> None:
        if len(steps.seen) == 2 and failures:
            raise failures.pop()

    steps.on_step = fail_once
    loop = Loop("test", steps, tick_seconds=0.01)
    loop.start()
    try:
        loop.hint({"run:a"})
        assert steps.wait_for(lambda: len(steps.seen) >= 3)
    finally:
        loop.stop()
    assert steps.seen[2] is None
