"""From a point to the arguments of a script."""

from __future__ import annotations

import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sublight.core.arguments import fill_command, script_arguments
from sublight.core.errors import InvalidInput


def test_fixed_arguments_come_first_and_every_item_is_text() -> None:
    parameters = {"epochs": 1, "rate": 0.1, "flag": True, "--kept": "a b"}

    assert script_arguments(["--data", "d"], parameters) == [
        "--data", "d", "--epochs", "1", "--rate", "0.1", "--flag", "True", "--kept", "a b",
    ]  # fmt: skip


def test_placeholders_become_quoted_values() -> None:
    command = "python t.py ${{search_space.rate}} ${{ inputs.data }}"

    line = fill_command(command, parameters={"--rate": 0.5}, inputs={"data": "a; rm -rf $(x)"})

    assert line == "python t.py 0.5 'a; rm -rf $(x)'"


def test_a_placeholder_without_a_value_is_named_with_what_there_is() -> None:
    with pytest.raises(InvalidInput, match=r"search_space.rat\b.*search_space.rate"):
        fill_command("t ${{search_space.rat}}", parameters={"rate": 1}, inputs={})


def test_a_name_of_an_option_that_was_not_drawn_is_an_empty_text() -> None:
    line = fill_command("t ${{search_space.momentum}}", parameters={"opt": "adam"}, inputs={}, names=["momentum"])

    assert line == "t ''"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_reaches_a_script_that_parses_its_arguments(value: float) -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("--x", type=float)

    assert parser.parse_args(script_arguments([], {"x": value})).x == value
