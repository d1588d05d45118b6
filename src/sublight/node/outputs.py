"""The files that a run leaves behind: finding them without following links, and uploading each once."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from sublight.core.errors import InvalidInput, NotFound, NotSupported, TooLarge
from sublight.core.snapshot import check_path
from sublight.messages.journal import UPLOADS_FOLDER, WORK_FOLDER

_BLOCK_BYTES = 1024 * 1024
_NOTES_MAX = 20

# Stores one file: artifact path, SHA-256, size in bytes, content.
Put = Callable[[str, str, int, BinaryIO], None]

# What the server says about one file only; anything else concerns the attempt or the connection.
_REFUSALS = (InvalidInput, TooLarge, NotFound, NotSupported)


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file to upload: its name among the run's artifacts, where it lies, and how it was when it was found."""

    path: str
    place: str
    size_bytes: int
    modified_ns: int

    @property
    def version(self) -> tuple[int, int]:
        """Differs when the file was written again."""
        return self.size_bytes, self.modified_ns


class Uploads:
    """What of an attempt's ``outputs/`` and ``uploads/`` is stored already.

    `settled` and `remaining` look at the disk; `send` may run in another thread, but one call at a time.
    """

    def __init__(self, directory: Path) -> None:
        self._uploads = directory / UPLOADS_FOLDER
        self._outputs = directory / WORK_FOLDER / "outputs"
        self._stored: dict[str, tuple[int, int]] = {}
        self._refused: dict[str, tuple[int, int]] = {}
        self._seen: dict[str, tuple[int, int]] = {}
        # A line for each thing that was not kept.
        self.notes: list[str] = []

    def settled(self) -> list[OutputFile]:
        """Staged files that have not changed since the last call and are not stored; for a script that still runs."""
        found = {file.path: file for file in _files_below(self._uploads, "", [])}
        before, self._seen = self._seen, {path: file.version for path, file in found.items()}
        return [file for file in found.values() if before.get(file.path) == file.version and self._is_new(file)]

    def remaining(self) -> list[OutputFile]:
        """All that is not stored, for a script that has ended; what is no plain file is noted in ``notes``."""
        notes: list[str] = []
        files = list(_files_below(self._uploads, "", notes))
        files += _files_below(self._outputs, "outputs/", notes)
        if len(notes) > _NOTES_MAX:
            notes[_NOTES_MAX:] = [f"{len(notes) - _NOTES_MAX} more things that are no plain files were not kept"]
        # Asked again after a failed upload, it finds the same.
        self.notes += [note for note in notes if note not in self.notes]
        return [file for file in files if self._is_new(file)]

    def is_nothing_there(self) -> bool:
        """True when both folders are empty; the usual case, told without a walk."""
        return _is_empty(self._uploads) and _is_empty(self._outputs)

    def send(self, files: Sequence[OutputFile], put: Put, is_stopped: Callable[[], bool]) -> None:
        """Upload; a file that cannot be kept is noted in ``notes``.

        Raises what ``put`` raises when the server is not there; calling again goes on with the rest.
        """
        for file in files:
            if not self._is_new(file):
                continue
            if is_stopped():
                self.notes.append("the run was stopped while its files were being uploaded; some were not kept")
                return
            try:
                _send(file, put)
            except (OSError, *_REFUSALS) as error:
                self._refused[file.path] = file.version
                self.notes.append(f"{file.path} was not kept: {error}")
            else:
                self._stored[file.path] = file.version

    def _is_new(self, file: OutputFile) -> bool:
        return file.version not in (self._stored.get(file.path), self._refused.get(file.path))


def _send(file: OutputFile, put: Put) -> None:
    with open_plain(file.place) as content:
        size = os.fstat(content.fileno()).st_size
        if size <= _BLOCK_BYTES:
            block = content.read(_BLOCK_BYTES)
            put(file.path, hashlib.sha256(block).hexdigest(), len(block), BytesIO(block))
            return
        digest, size = hashlib.sha256(), 0
        while block := content.read(_BLOCK_BYTES):
            digest.update(block)
            size += len(block)
        content.seek(0)
        put(file.path, digest.hexdigest(), size, content)


def open_plain(place: str | Path) -> BinaryIO:
    """Open a plain file for reading; OSError for links, pipes and devices, without waiting on any of them."""
    descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{place} is not a plain file")
    return open(descriptor, "rb", buffering=0)


def files_below(folder: Path, prefix: str) -> list[OutputFile]:
    """The plain files below a folder, with their paths after ``prefix``; the rest is passed over in silence."""
    return list(_files_below(folder, prefix, []))


def _files_below(folder: Path, prefix: str, notes: list[str]) -> Iterator[OutputFile]:
    if folder.is_symlink():
        notes.append(f"{prefix or folder.name} is a link, which is not followed; nothing in it was kept")
        return
    waiting = [(str(folder), prefix)]
    while waiting:
        place, name = waiting.pop()
        try:
            entries = sorted(os.scandir(place), key=lambda entry: entry.name)
        except OSError as error:
            if place != str(folder):
                notes.append(f"{name} cannot be read ({error.strerror}); nothing in it was kept")
            continue
        for entry in entries:
            path = name + entry.name
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue  # removed since
            if stat.S_ISDIR(status.st_mode):
                waiting.append((entry.path, path + "/"))
            elif not stat.S_ISREG(status.st_mode):
                notes.append(f"{path!r} is a {_kind(status.st_mode)}, not a plain file; it was not kept")
            elif trouble := _trouble_with(path):
                notes.append(f"a file was not kept: {trouble}")
            else:
                yield OutputFile(path, entry.path, status.st_size, status.st_mtime_ns)


def _trouble_with(path: str) -> str:
    try:
        check_path(path)
    except InvalidInput as error:
        return str(error)
    return ""


def _kind(mode: int) -> str:
    kinds = {stat.S_IFLNK: "link", stat.S_IFIFO: "named pipe", stat.S_IFSOCK: "socket"}
    return kinds.get(stat.S_IFMT(mode), "device")


def _is_empty(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except OSError:
        return True
