from __future__ import annotations

import pytest

from sublight.core.errors import Conflict, NotAuthenticated, NotFound, ServerUnavailable
from sublight.messages.nodes import Hello, Orders, Welcome
from sublight.node.lease import Lease
from sublight.node.orders import OrdersPoller

WELCOME = Welcome(lease_seconds=60.0, stop_grace_seconds=5.0, poll_seconds=20.0)


class Server:
    """Gives scripted answers; ``call_seconds`` passes during each call."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.asked: list[int] = []
        self.call_seconds = 1.0
        self.time = 100.0

    def hello(self, hello: Hello) -> Welcome:
        return self._answer()

    def orders(self, incarnation: str, version: int, wait_seconds: float) -> Orders:
        self.asked.append(version)
        return self._answer()

    def _answer(self):
        self.time += self.call_seconds
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Line:
    """A poller at a scripted server."""

    def __init__(self, *answers: object) -> None:
        self.server = Server(*answers)
        self.lease = Lease(lambda: self.server.time)
        self.welcomes: list[Welcome] = []
        self.orders: list[Orders] = []
        self.fenced: list[str] = []
        self.poller = OrdersPoller(
            self.server,  # type: ignore[arg-type]
            Hello(incarnation="life-1", version="1", host={}),
            lease=self.lease,
            welcomed=self.welcomes.append,
            ordered=self.orders.append,
            fenced=self.fenced.append,
            clock=lambda: self.server.time,
        )


def some(version: int) -> Orders:
    return Orders(version=version, leave=False, orders=[])


def test_hello_is_said_until_it_is_heard_and_then_never_again():
    line = Line(ServerUnavailable("away"), WELCOME, some(7), some(8))
    with pytest.raises(ServerUnavailable):
        line.poller.poll()
    for _ in range(3):
        line.poller.poll()

    assert line.welcomes == [WELCOME]
    assert [orders.version for orders in line.orders] == [7, 8]
    assert line.server.asked == [-1, 7]


def test_each_answer_renews_the_lease_from_the_moment_of_sending():
    line = Line(WELCOME, some(1))
    line.poller.poll()
    line.server.call_seconds = 20.0
    line.poller.poll()

    assert line.lease.seconds_left() == 40.0


def test_an_answer_from_before_the_machine_slept_is_not_followed():
    line = Line(WELCOME, some(1), some(2))
    line.poller.poll()
    line.server.call_seconds = 3600.0
    line.poller.poll()
    assert line.orders == []

    line.server.call_seconds = 1.0
    line.poller.poll()
    assert line.server.asked == [-1, -1]
    assert [orders.version for orders in line.orders] == [2]


@pytest.mark.parametrize("error", [Conflict("another life of the node has begun"), NotFound("it was removed")])
def test_the_poller_ends_when_the_node_is_not_ours_any_more(error):
    line = Line(WELCOME, error)
    line.poller.run()

    assert line.fenced == [str(error)]


def test_a_refused_token_ends_the_agent_only_after_a_while_and_without_a_lease(monkeypatch):
    line = Line(WELCOME, *[NotAuthenticated("unknown token")] * 200)
    line.server.call_seconds = 10.0
    monkeypatch.setattr(line.poller._closed, "wait", lambda seconds: None)
    line.poller.run()

    assert line.fenced == ["unknown token"]
    assert line.lease.is_lapsed()
    assert len(line.server.asked) == 7
