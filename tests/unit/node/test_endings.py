"""What is said of an attempt that ended badly."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from sublight.node.endings import exit_sentence, failure_sentence, last_words


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("", ""),
        ("epoch 1\nValueError: boom\n\n", "ValueError: boom"),
        ("\x1b[31mValueError\x1b[0m:  boom", "[31mValueError [0m: boom"),
        ("x" * 5000, "x" * 299 + "…"),
    ],
)
def test_the_last_line_of_the_log_is_told(tmp_path: Path, log: str, words: str) -> None:
    (tmp_path / "std_log").write_text(log)

    assert last_words(tmp_path / "std_log") == words


def test_a_script_that_raised_is_told_by_its_error(tmp_path: Path) -> None:
    (tmp_path / "std_log").write_text("Traceback (most recent call last):\n  …\nValueError: boom\n")

    assert exit_sentence(1, tmp_path) == "the script ended with exit code 1; its last line: ValueError: boom"
    assert exit_sentence(0, tmp_path) == ""


def test_arguments_that_are_too_long_are_told_with_what_to_do(tmp_path: Path) -> None:
    sentence = failure_sentence(OSError(errno.E2BIG, "Argument list too long"), tmp_path)

    assert "put large values into a file" in sentence
