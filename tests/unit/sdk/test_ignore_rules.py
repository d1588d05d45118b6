"""Ignore files are read as git reads them; git itself is the judge where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sublight.core.ignore import IgnoreRules, is_ignored


def left_out(text: str, path: str) -> bool:
    """Walk down to ``path`` as the packer does: a left-out folder is never entered."""
    rules = [IgnoreRules.parse(text)]
    parts = path.split("/")
    for depth in range(1, len(parts)):
        if is_ignored(rules, "/".join(parts[:depth]), is_folder=True):
            return True
    return is_ignored(rules, path, is_folder=False)


CASES = [
    # text, path, left out
    ("*.pyc", "a.pyc", True),
    ("*.pyc", "deep/down/a.pyc", True),
    ("/data", "data", True),
    ("/data", "deep/data", False),
    ("data/", "data/x.csv", True),
    ("data/", "data", False),
    ("deep/data", "deep/data", True),
    ("deep/data", "other/deep/data", False),
    ("**/data", "other/deep/data", True),
    ("a/**/b", "a/b", True),
    ("a/**/b", "a/x/y/b", True),
    ("a/**", "a/x", True),
    ("a/**", "b/a/x", False),
    ("*\n!keep.txt", "keep.txt", False),
    ("data/\n!data/keep.txt", "data/keep.txt", True),
    ("data/*\n!data/keep.txt", "data/keep.txt", False),
    ("# comment\n\\#literal", "#literal", True),
    ("\\!literal", "!literal", True),
    ("trailing   ", "trailing", True),
    ("kept\\ ", "kept ", True),
    ("file[0-9].txt", "file7.txt", True),
    ("file[!0-9].txt", "file7.txt", False),
    ("file[[:digit:]].txt", "file7.txt", True),
    ("what?", "what/", False),
    ("a*b", "a/b", False),
    ("windows\r", "windows", True),
    ("\ufeffbom", "bom", True),
    ("half[", "half[", False),
    ("end\\", "end\\", False),
    ("[z-a]", "y", False),
    ("/", "x", False),
    ("", "x", False),
]


@pytest.mark.parametrize(("text", "path", "expected"), CASES)
def test_a_pattern_means_what_git_says_it_means(text: str, path: str, expected: bool) -> None:
    assert left_out(text, path) is expected


def test_a_deeper_ignore_file_wins_over_one_above() -> None:
    rules = [IgnoreRules.parse("*.csv"), IgnoreRules.parse("!small.csv", folder="data")]

    assert not is_ignored(rules, "data/small.csv", is_folder=False)
    assert is_ignored(rules, "small.csv", is_folder=False)


git_is_here = pytest.mark.skipif(shutil.which("git") is None, reason="git is the judge of this test")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ignore")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


PATHS = ["a", "b", "ab", "a/b", "a/b/c", "b/a", "a/ab", "a-b", "c/a/b", "a.py", "b/a.py", "]", "a/]", "-", "a!b"]
pattern_lines = st.text(alphabet="ab*?/![]-c.\\ ^:#", min_size=1, max_size=8)


@git_is_here
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(pattern_lines, min_size=1, max_size=4))
def test_any_rules_agree_with_git(repository: Path, lines: list[str]) -> None:
    (repository / ".gitignore").write_text("\n".join(lines) + "\n")

    answer = subprocess.run(
        ["git", "-C", str(repository), "check-ignore", "--no-index", "-z", "--stdin"],
        input="\0".join(PATHS).encode(),
        capture_output=True,
        check=False,
    )

    assert answer.returncode in (0, 1), answer.stderr
    by_git = {path for path in answer.stdout.decode().split("\0") if path}
    assert {path for path in PATHS if left_out("\n".join(lines), path)} == by_git
