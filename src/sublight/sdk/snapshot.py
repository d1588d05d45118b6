"""Packing a source folder: which files go along, what they hold, and sending what the server does not have yet."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TextIO

from sublight.core.amounts import bytes_in_words, counted
from sublight.core.errors import Conflict, InvalidInput
from sublight.core.ignore import IgnoreRules, is_ignored
from sublight.core.snapshot import (
    ALWAYS_LEFT_OUT,
    DEFAULT_RULES,
    IGNORE_FILES,
    RESULT_FOLDERS,
    SnapshotLimits,
    check_limits,
    check_path,
)
from sublight.messages.definitions import SnapshotFile, SnapshotRequest, SnapshotResponse, SnapshotView
from sublight.sdk.client import API, Client

# A scan that goes this far beyond the limit on files has lost its way (someone's home folder); it stops there.
_SCAN_FACTOR = 20
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class PackedSource:
    """A source folder (or single file) as it was when it was read; ``shown`` is how the user named it."""

    shown: str
    root: Path
    files: tuple[SnapshotFile, ...]

    @property
    def size_bytes(self) -> int:
        """The size of all files together."""
        return sum(file.size_bytes for file in self.files)

    @property
    def paths(self) -> list[str]:
        """The paths of all files, relative to the source."""
        return [file.path for file in self.files]

    def holds(self, path: str) -> bool:
        """True when a file of this path goes along."""
        return any(file.path == path for file in self.files)


def pack(source: Path, *, shown: str | None = None, limits: SnapshotLimits | None = None) -> PackedSource:
    """Read a source folder, or a single file, by the ignore rules and within the limits."""
    limits = limits or SnapshotLimits.from_environment(os.environ)
    shown = shown or str(source)
    root = source.parent if source.is_file() else source
    found: list[tuple[str, os.stat_result]] = []
    scan = iter([_single(source)]) if source.is_file() else _scan(source, shown)
    for entry in scan:
        found.append(entry)
        if len(found) > limits.files_max * _SCAN_FACTOR:
            break
    check_limits([(path, status.st_size) for path, status in found], limits, source=shown)
    if not found:
        raise InvalidInput(f"the source {shown} holds no files that a run could use; is everything in it ignored?")
    files = tuple(_described(root, path, status) for path, status in sorted(found))
    return PackedSource(shown, root, files)


def upload(client: Client, packed: PackedSource, *, notice: TextIO | None = None) -> str:
    """Make the server have the snapshot and return its id; its size is told to ``notice`` (standard error) first."""
    answer = client.post(f"{API}/snapshots", SnapshotResponse, SnapshotRequest(files=list(packed.files)))
    by_content = {file.sha256: file for file in packed.files}
    missing = [by_content[sha256] for sha256 in answer.missing if sha256 in by_content]
    print(_size_line(packed, missing), file=notice or sys.stderr, flush=True)
    for file in missing:
        place = packed.root / file.path
        try:
            client.put_file(f"{API}/blobs/{file.sha256}", place)
        except (InvalidInput, OSError) as error:
            if _content_of(place) != file.sha256:
                raise Conflict(f"{place} was changed while it was being sent; submit again") from error
            raise
    return answer.id


def stored_files(client: Client, snapshot_id: str) -> list[SnapshotFile]:
    """The files of a snapshot on the server; NotFound when there is none of this id."""
    return client.get(f"{API}/snapshots/{snapshot_id}", SnapshotView).files


def read_stored(client: Client, snapshot_id: str, path: str, sink: IO[bytes]) -> None:
    """Write the content of one file of a snapshot into ``sink``."""
    client.get_file(f"{API}/snapshots/{snapshot_id}/content", sink, path=path)


def _size_line(packed: PackedSource, missing: list[SnapshotFile]) -> str:
    whole = f"{counted(len(packed.files), 'file')}, {bytes_in_words(packed.size_bytes)}"
    new_bytes = sum(file.size_bytes for file in missing)
    new = f"new: {counted(len(missing), 'file')}, {bytes_in_words(new_bytes)}" if missing else "nothing new"
    return f"snapshot of {packed.shown}: {whole} ({new}){_results_left_out(packed)}"


def _results_left_out(packed: PackedSource) -> str:
    """Results of earlier runs stay behind by default; someone whose code lies there must see that."""
    kept = {file.path.partition("/")[0] for file in packed.files}
    left = [f"{name}/" for name in RESULT_FOLDERS if name not in kept and (packed.root / name).is_dir()]
    return f", without {' and '.join(left)}, where runs leave their results" if left else ""


def _single(source: Path) -> tuple[str, os.stat_result]:
    return source.name, source.stat()


def _scan(source: Path, shown: str) -> Iterator[tuple[str, os.stat_result]]:
    """All files below ``source`` that the rules let through, with their state on disk."""
    # ``python submit.py > out.log``: what this very program prints into the source is no part of it, and never holds still.
    own_output = _own_output()
    ignore_file = next((name for name in IGNORE_FILES if (source / name).is_file()), IGNORE_FILES[0])
    pending: list[tuple[str, tuple[IgnoreRules, ...]]] = [("", (DEFAULT_RULES,))]
    while pending:
        folder, rules = pending.pop()
        try:
            with os.scandir(source / folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            raise InvalidInput(
                f"the folder {shown}/{folder} cannot be read ({error.strerror}); make it readable, or ignore it"
            ) from error
        rules = (*rules, *_rules_in(entries, ignore_file, folder))
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if entry.is_file(follow_symlinks=False) and _identity(entry.stat(follow_symlinks=False)) in own_output:
                continue
            if entry.name in ALWAYS_LEFT_OUT or is_ignored(rules, path, is_folder=is_folder):
                continue
            if is_folder:
                pending.append((path, rules))
            else:
                yield path, _checked_status(entry, path, shown)


def _own_output() -> set[tuple[int, int]]:
    """The files behind standard output and standard error, where they are files."""
    found = set()
    for descriptor in (1, 2):
        try:
            found.add(_identity(os.fstat(descriptor)))
        except OSError:
            continue  # closed
    return found


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _rules_in(entries: list[os.DirEntry[str]], ignore_file: str, folder: str) -> Iterator[IgnoreRules]:
    for entry in entries:
        if entry.name == ignore_file and entry.is_file(follow_symlinks=False):
            yield IgnoreRules.parse(Path(entry.path).read_text(errors="replace"), folder)


def _checked_status(entry: os.DirEntry[str], path: str, shown: str) -> os.stat_result:
    """The file's state; links, pipes and the like are refused, because a node could not have the same thing."""
    if entry.is_symlink():
        target = os.readlink(entry.path)
        raise InvalidInput(
            f"{shown}/{path} is a link (to {target}), and a snapshot holds plain files only; "
            f"copy what it points to, or list it in {IGNORE_FILES[0]}"
        )
    status = entry.stat(follow_symlinks=False)
    if not stat.S_ISREG(status.st_mode):
        raise InvalidInput(
            f"{shown}/{path} is no plain file (a pipe, socket or device), and a snapshot holds plain files only; "
            f"remove it, or list it in {IGNORE_FILES[0]}"
        )
    return status


def _described(root: Path, path: str, status: os.stat_result) -> SnapshotFile:
    check_path(path)
    try:
        sha256 = _content_of(root / path)
    except OSError as error:
        raise InvalidInput(
            f"{root / path} cannot be read ({error.strerror}); make it readable, or ignore it"
        ) from error
    is_executable = bool(status.st_mode & stat.S_IXUSR)
    return SnapshotFile(path=path, sha256=sha256, size_bytes=status.st_size, is_executable=is_executable)


def _content_of(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while chunk := content.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
