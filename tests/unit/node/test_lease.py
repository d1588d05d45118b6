from __future__ import annotations

from sublight.node.lease import Lease, boot_clock


class Clock:
    time = 100.0

    def __call__(self) -> float:
        return self.time


def test_a_lease_that_was_never_renewed_is_lapsed():
    assert Lease(Clock()).is_lapsed()


def test_a_lease_counts_from_the_moment_the_request_was_sent():
    clock = Clock()
    lease = Lease(clock)
    lease.set_length(60)
    lease.renew(sent_at=70.0)

    assert lease.seconds_left() == 30.0


def test_an_answer_to_an_older_request_does_not_shorten_the_lease():
    clock = Clock()
    lease = Lease(clock)
    lease.set_length(60)
    lease.renew(sent_at=95.0)
    lease.renew(sent_at=70.0)
    clock.time = 154.0

    assert not lease.is_lapsed()


def test_a_lease_lapses_exactly_at_its_end():
    clock = Clock()
    lease = Lease(clock)
    lease.set_length(60)
    lease.renew(sent_at=100.0)
    clock.time = 160.0

    assert lease.is_lapsed()


def test_the_boot_clock_never_goes_back():
    assert boot_clock() <= boot_clock()
