"""An attempt's folder: the snapshot unpacked from a cache of contents, and the folders that a script expects.

::

    <node>/runs/<run id>.<attempt>/   work/      the snapshot, the working directory; outputs/ and logs/ are made
                                      uploads/   artifacts that the script stages
                                      annotations.json  what the submitter kept with the definition, if anything
                                      journal    written by the script
                                      std_log    what the script prints

The cache is shared by the nodes of one workspace on this machine. Files are copied from it, never linked: a script may
change its own files.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import msgspec

from sublight.core.errors import InvalidInput, SublightError
from sublight.core.snapshot import check_files
from sublight.messages.definitions import SnapshotFile
from sublight.messages.journal import ANNOTATIONS_FILE, UPLOADS_FOLDER, WORK_FOLDER
from sublight.messages.nodes import Order

LOG_FILE = "std_log"
CACHE_BYTES_MAX = 2_000_000_000

# Writes the content with this SHA-256 of this snapshot into a file.
Fetch = Callable[[str, str, BinaryIO], None]

_BLOCK_BYTES = 1024 * 1024
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}")


class Unpacking(SublightError):
    """The attempt was stopped while its snapshot was being unpacked."""

    code = "unpacking_stopped"


def attempt_directory(runs: Path, run_id: str, attempt: int) -> Path:
    """The attempt's own folder. Raises InvalidInput for an id that is no plain name."""
    if not _RUN_ID.fullmatch(run_id):
        raise InvalidInput(f"a run's id must be letters, digits, '.', '_' and '-', got {run_id!r}")
    return runs / f"{run_id}.{attempt}"


class BlobCache:
    """Contents of snapshots by hash; several agents use one directory at once."""

    def __init__(self, directory: Path, fetch: Fetch) -> None:
        self._directory = directory
        self._fetch = fetch

    def copy(self, snapshot_id: str, file: SnapshotFile, target: Path) -> None:
        """Copy the content to ``target``, which must not exist; fetched first when the cache lacks it.

        The hash is checked on the way, so that a damaged cache file is replaced and never run. Raises OSError (disk),
        InvalidInput (the server's content is not what its hash says), and what ``fetch`` raises.
        """
        cached = self._directory / file.sha256
        try:
            if _copy_checked(cached, target, file):
                return
        except FileNotFoundError:
            pass  # not fetched yet, or just tidied away
        self._fetch_to(cached, snapshot_id, file)
        if not _copy_checked(cached, target, file):
            cached.unlink(missing_ok=True)
            raise InvalidInput(f"the server's content of {file.path} does not have the hash that the snapshot states")

    def tidy(self, bytes_max: int = CACHE_BYTES_MAX) -> None:
        """Remove what was used longest ago until the cache is within its limit."""
        entries: list[tuple[float, int, str]] = []
        try:
            with os.scandir(self._directory) as found:
                for entry in found:
                    status = entry.stat(follow_symlinks=False)
                    entries.append((status.st_mtime, status.st_size, entry.path))
        except OSError:
            return  # no cache yet, or another agent is tidying
        total = sum(size for _, size, _ in entries)
        for _, size, path in sorted(entries):
            if total <= bytes_max:
                return
            Path(path).unlink(missing_ok=True)
            total -= size

    def _fetch_to(self, cached: Path, snapshot_id: str, file: SnapshotFile) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = cached.with_name(f"{file.sha256}.{secrets.token_hex(4)}")
        try:
            with open(draft, "xb") as target:
                self._fetch(snapshot_id, file.sha256, target)
            os.replace(draft, cached)
        finally:
            draft.unlink(missing_ok=True)


def unpack(order: Order, directory: Path, cache: BlobCache, is_stopped: Callable[[], bool]) -> None:
    """Make the attempt's folder with the snapshot of ``order`` in it.

    Raises Unpacking when ``is_stopped`` says so between two files, InvalidInput for a snapshot with unsafe paths, and
    what `BlobCache.copy` raises.
    """
    check_files(order.snapshot_files)
    work = directory / WORK_FOLDER
    # A fresh folder that nobody else can enter: no path below it can lead elsewhere by a link made beforehand.
    directory.mkdir(mode=0o700, parents=True)
    for folder in (work, directory / UPLOADS_FOLDER):
        folder.mkdir()
    made = {work}
    for file in order.snapshot_files:
        if is_stopped():
            raise Unpacking(f"run {order.run_id} was stopped while its snapshot was being unpacked")
        target = work / file.path
        if target.parent not in made:
            target.parent.mkdir(parents=True, exist_ok=True)
            made.add(target.parent)
        cache.copy(order.snapshot_id, file, target)
    for name in ("outputs", "logs"):
        (work / name).mkdir(exist_ok=True)
    if order.annotations:
        (directory / ANNOTATIONS_FILE).write_bytes(msgspec.json.encode(order.annotations))
    (directory / LOG_FILE).touch()


def remove_tree(directory: Path) -> None:
    """Remove a folder whatever a script did to its permissions; what is gone already is passed over."""

    def make_writable(function: Callable[..., object], path: str, _error: object) -> None:
        if not os.path.lexists(path):
            return
        for place in (os.path.dirname(path), path):
            if not os.path.islink(place):
                os.chmod(place, stat.S_IRWXU)
        if function in (os.unlink, os.rmdir):
            function(path)
        else:
            shutil.rmtree(path, ignore_errors=True)

    try:
        shutil.rmtree(directory, onerror=make_writable)
    except OSError:
        return  # the next start of the agent in this folder tries again


def _copy_checked(source: Path, target: Path, file: SnapshotFile) -> bool:
    """Copy and tell whether the content has its hash; nothing is left at ``target`` when it has not."""
    digest = hashlib.sha256()
    mode = 0o755 if file.is_executable else 0o644
    with open(os.open(source, os.O_RDONLY | os.O_NOFOLLOW), "rb", buffering=0) as reader:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        with open(descriptor, "wb", buffering=0) as writer:
            while block := reader.read(_BLOCK_BYTES):
                digest.update(block)
                _write_all(writer, block)
    if digest.hexdigest() == file.sha256:
        return True
    target.unlink()
    return False


def _write_all(writer: BinaryIO, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[writer.write(view) :]
