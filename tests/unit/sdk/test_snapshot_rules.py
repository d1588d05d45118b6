"""Safe paths, limits and ids of snapshots."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sublight.core.errors import InvalidInput, TooLarge
from sublight.core.snapshot import SnapshotLimits, check_files, check_limits, check_path, snapshot_id
from sublight.messages.definitions import SnapshotFile


def file(path: str, digit: str = "a", size: int = 1, *, is_executable: bool = False) -> SnapshotFile:
    return SnapshotFile(path=path, sha256=digit * 64, size_bytes=size, is_executable=is_executable)


@pytest.mark.parametrize("path", ["train.py", "a/b/c.txt", "with space.txt", "ünï/cödé", "..hidden", "a..b/c"])
def test_an_ordinary_relative_path_is_safe(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("", "is empty"),
        ("/etc/passwd", "is absolute"),
        ("C:/x", "drive letter"),
        ("../x", "part '..'"),
        ("a/../x", "part '..'"),
        ("a//b", "part ''"),
        ("./a", "part '.'"),
        ("a/", "part ''"),
        ("a\\b", "backslash"),
        ("a\nb", "control character"),
        ("a\x00b", "control character"),
        ("\ud800", "UTF-8"),
        ("x" * 256, "255 bytes"),
        ("/".join(["x" * 200] * 6), "1024 bytes"),
    ],
)
def test_a_dangerous_path_is_refused_with_its_fault(path: str, fault: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(fault)):
        check_path(path)


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([file("a"), file("a")], "twice"),
        ([file("a"), file("a/b")], "a file and a folder at once"),
        ([file("a", "X")], "64 lower-case"),
        ([file("a", size=-1)], "negative"),
        ([file("../a")], "must be relative"),
    ],
)
def test_files_that_cannot_lie_side_by_side_are_refused(files: list[SnapshotFile], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        check_files(files)


def test_the_limit_on_bytes_is_named_with_the_three_largest_files() -> None:
    files = [(f"part{n}.csv", n * 100_000_000) for n in range(1, 5)]

    with pytest.raises(TooLarge) as refusal:
        check_limits(files, SnapshotLimits(), source="examples/big")

    sentence = str(refusal.value)
    assert "examples/big" in sentence
    assert "1.0 GB" in sentence
    assert "300 MB" in sentence
    assert "part4.csv (400 MB), part3.csv (300 MB), part2.csv (200 MB)" in sentence
    assert "part1.csv" not in sentence


def test_the_limit_on_files_is_named_with_the_fullest_folders() -> None:
    files = [(f"images/{n}.png", 1) for n in range(2001)]

    with pytest.raises(TooLarge, match=r"2,001 files.*2,000.*images/ \(2,001\)"):
        check_limits(files, SnapshotLimits(), source=".")


def test_limits_come_from_the_environment() -> None:
    limits = SnapshotLimits.from_environment({"SUBLIGHT_SNAPSHOT_LIMIT_MB": "5"})

    assert limits == SnapshotLimits(bytes_max=5_000_000, files_max=2_000)


def test_a_limit_that_is_no_number_is_refused() -> None:
    with pytest.raises(InvalidInput, match="SUBLIGHT_SNAPSHOT_LIMIT_MB must be a whole number"):
        SnapshotLimits.from_environment({"SUBLIGHT_SNAPSHOT_LIMIT_MB": "lots"})


entries = st.builds(
    SnapshotFile,
    path=st.text(alphabet="ab/", min_size=1, max_size=6),
    sha256=st.sampled_from(["a" * 64, "b" * 64]),
    size_bytes=st.integers(0, 3),
    is_executable=st.booleans(),
)


@given(st.lists(entries, max_size=4), st.lists(entries, max_size=4))
def test_two_snapshots_have_one_id_exactly_when_they_hold_the_same_files(
    first: list[SnapshotFile], second: list[SnapshotFile]
) -> None:
    def sorted_files(files: list[SnapshotFile]) -> list[str]:
        return sorted(map(repr, files))

    assert (snapshot_id(first) == snapshot_id(second)) == (sorted_files(first) == sorted_files(second))
