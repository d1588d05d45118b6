"""How values are written for people."""

from __future__ import annotations

import math

import pytest

from sublight.portal import formats
from tests.unit.portal.portal_sample import run_view


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0"),
        (0.82841, "0.8284"),
        (12.3456, "12.35"),
        (-3.0, "-3"),
        (0.00001234, "1.234e-5"),
        (12345678.0, "1.235e7"),
        (1000000, "1\u202f000\u202f000"),
        (True, "True"),
        (math.nan, "NaN"),
        (math.inf, "∞"),
        ("inf", "inf"),
    ],
)
def test_numbers_have_four_digits_and_stay_readable(value, text):
    assert formats.number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"), (0, "0 s"), (0.41, "0.4 s"), (43.2, "43 s"), (59.7, "1 min"), (125, "2 min 5 s"), (3600, "1 h"),
        (4320, "1 h 12 min"), (270000, "3 d 3 h"), (-1, "0 s"),
    ],
)  # fmt: skip
def test_durations_are_words(seconds, text):
    assert formats.duration(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (12_300_000, "12.3 MB")])
def test_sizes_have_units(count, text):
    assert formats.size(count) == text


def test_small_prices_do_not_read_as_nothing():
    assert formats.price(0.0039) == "0.0039"
    assert formats.price(12.5) == "12.50"


def test_a_moment_carries_its_time_for_the_viewers_zone():
    assert 'datetime="2023-11-14T22:13:20.000Z"' in formats.moment(1_700_000_000.0)


def test_a_trial_that_the_policy_ended_is_neither_failed_nor_canceled():
    run = run_view(status="canceled", end_reason="policy")

    assert formats.status_word(run) == "ended early"
    assert formats.status_class(run) == "early"


def test_a_log_loses_colours_and_keeps_the_last_state_of_a_progress_bar():
    assert formats.log_text(b"\x1b[31mred\x1b[0m\r\n 10%\r 99%\r100%\nnext\x07") == "red\n100%\nnext"


def test_words_of_a_command_line_are_quoted_when_a_shell_would_split_them():
    assert formats.shell_word("plain-1.0") == "plain-1.0"
    assert formats.shell_word("it's two") == "'it'\"'\"'s two'"
