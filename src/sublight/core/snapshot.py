"""What a snapshot is: a set of files with safe paths, within limits, named by its content.

SDK, server and node check the same rules: the SDK to tell the user early, the others because they trust nobody.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sublight.core.amounts import bytes_in_words, counted
from sublight.core.errors import InvalidInput, TooLarge
from sublight.core.ignore import IgnoreRules

BYTES_LIMIT_VARIABLE = "SUBLIGHT_SNAPSHOT_LIMIT_MB"
FILES_LIMIT_VARIABLE = "SUBLIGHT_SNAPSHOT_LIMIT_FILES"

# The first of these that lies in the source folder decides; files of the same name further down speak for their folder.
IGNORE_FILES = (".amlignore", ".gitignore")

# Never part of a snapshot, whatever an ignore file says.
ALWAYS_LEFT_OUT = frozenset(
    {".git", ".hg", ".svn", ".sublight", "__pycache__", ".venv", ".ipynb_checkpoints", ".DS_Store"}
)

# A run writes to these folders and they are kept as its results, so what lies there from before is not code. A file
# ``.env`` usually holds secrets, and everybody who may read the workspace may read its snapshots. An ignore file can take
# them back with ``!/outputs/`` or ``!.env``.
RESULT_FOLDERS = ("outputs", "logs")
DEFAULT_RULES = IgnoreRules.parse(".env\n/outputs/\n/logs/\n/.mypy_cache/\n/.pytest_cache/\n/.ruff_cache/\n")

PATH_BYTES_MAX = 1024
NAME_BYTES_MAX = 255


class FileEntry(Protocol):
    """What the rules need to know of a file; ``messages.SnapshotFile`` is one."""

    @property
    def path(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def is_executable(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class SnapshotLimits:
    """How large a snapshot may be, and how each limit is raised, for the sentence about it."""

    bytes_max: int = 300_000_000
    files_max: int = 2_000
    bytes_remedy: str = f"set {BYTES_LIMIT_VARIABLE}"
    files_remedy: str = f"set {FILES_LIMIT_VARIABLE}"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> SnapshotLimits:
        """The defaults, or what the two variables in ``environment`` (``os.environ``) say."""
        return cls(
            bytes_max=_whole_number(environment, BYTES_LIMIT_VARIABLE, cls().bytes_max // 1_000_000) * 1_000_000,
            files_max=_whole_number(environment, FILES_LIMIT_VARIABLE, cls().files_max),
        )


def _whole_number(environment: Mapping[str, str], variable: str, default: int) -> int:
    text = environment.get(variable, "").strip()
    if not text:
        return default
    if not text.isdecimal() or int(text) < 1:
        raise InvalidInput(f"{variable} must be a whole number above 0, got {text!r}")
    return int(text)


def check_limits(files: Sequence[tuple[str, int]], limits: SnapshotLimits, *, source: str) -> None:
    """Raise TooLarge when the files (path, size in bytes) are over a limit; ``source`` names the folder to the user."""
    if len(files) > limits.files_max:
        raise TooLarge(
            f"the snapshot of {source} would have {counted(len(files), 'file')}, and the limit is "
            f"{limits.files_max:,}; most lie in {_fullest_folders(files)}; list what a run does not need in "
            f"{IGNORE_FILES[0]}, or {limits.files_remedy}"
        )
    total = sum(size for _, size in files)
    if total > limits.bytes_max:
        largest = sorted(files, key=lambda file: (-file[1], file[0]))[:3]
        named = ", ".join(f"{path} ({bytes_in_words(size)})" for path, size in largest)
        raise TooLarge(
            f"the snapshot of {source} would have {bytes_in_words(total)}, and the limit is "
            f"{bytes_in_words(limits.bytes_max)}; the largest files are {named}; list what a run does not need in "
            f"{IGNORE_FILES[0]}, or {limits.bytes_remedy}"
        )


def _fullest_folders(files: Sequence[tuple[str, int]]) -> str:
    counts: dict[str, int] = {}
    for path, _ in files:
        top, slash, _ = path.partition("/")
        if slash:
            counts[top + "/"] = counts.get(top + "/", 0) + 1
    fullest = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:3]
    return ", ".join(f"{folder} ({count:,})" for folder, count in fullest) or "the folder itself"


def check_path(path: str) -> str:
    """The path itself when it is safe to write below any folder; otherwise InvalidInput says what is wrong with it.

    Safe is: relative, forward slashes, no empty, ``.`` or ``..`` part, no control character, valid UTF-8, not too long.
    The same rule holds for the files of a snapshot, and for a run's logs and artifacts.
    """
    fault = _fault_of_path(path)
    if fault:
        shown = path if len(path) <= 80 else path[:77] + "..."
        raise InvalidInput(f"a path must be relative, with forward slashes and without '..', but {shown!r} {fault}")
    return path


def _fault_of_path(path: str) -> str:
    if not path:
        return "is empty"
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        return "is not valid UTF-8; rename the file"
    if len(encoded) > PATH_BYTES_MAX:
        return f"is longer than {PATH_BYTES_MAX} bytes"
    if any(unicodedata.category(character) == "Cc" for character in path):
        return "has a control character in it; rename the file"
    if "\\" in path:
        return "has a backslash in it"
    if path.startswith("/"):
        return "is absolute"
    if path[0].isalpha() and path[1:3] in (":", ":/"):
        return "begins with a drive letter"
    for part in path.split("/"):
        if part in ("", ".", ".."):
            return f"has the part {part!r} in it"
        if len(part.encode()) > NAME_BYTES_MAX:
            return f"has a name in it that is longer than {NAME_BYTES_MAX} bytes"
    return ""


def check_files(files: Iterable[FileEntry], *, noun: str = "a snapshot") -> None:
    """Raise InvalidInput unless the files can be unpacked side by side: safe, distinct, no file is another's folder.

    ``noun`` is what they belong to, for the sentence.
    """
    paths: set[str] = set()
    folders: set[str] = set()
    for file in files:
        check_path(file.path)
        if file.path in paths:
            raise InvalidInput(f"{noun} holds each path once, got {file.path!r} twice")
        if file.size_bytes < 0:
            raise InvalidInput(f"the size of {file.path!r} must not be negative, got {file.size_bytes}")
        if len(file.sha256) != 64 or set(file.sha256) - set("0123456789abcdef"):
            raise InvalidInput(f"the sha256 of {file.path!r} must be 64 lower-case hexadecimal digits")
        paths.add(file.path)
        parts = file.path.split("/")
        folders.update("/".join(parts[:depth]) for depth in range(1, len(parts)))
    both = sorted(paths & folders)
    if both:
        raise InvalidInput(f"{both[0]!r} cannot be a file and a folder at once in {noun}")


def snapshot_id(files: Iterable[FileEntry]) -> str:
    """The name of a snapshot: SHA-256 over its sorted list of files; equal files always give the same id."""
    lines = sorted(
        f"{file.path}\t{file.sha256}\t{file.size_bytes}\t{'x' if file.is_executable else '-'}\n" for file in files
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()
