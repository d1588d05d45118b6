"""Copies of asset and datastore files on the machine that needs them, fetched once and shared by its runs.

Below the cache's folder: ``contents`` holds each file once, ``trees`` holds folders in which those files appear under
their own names (by hard links where the disk can, else as copies). Everything is written beside its place and renamed
into it, so several processes may use one cache at once; whoever comes second waits and finds it ready. The files are
not writable, because other runs read the same ones. Nothing is ever removed; the whole folder may be, while no run uses
it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from sublight.core.errors import Conflict, InvalidInput, StorageFull
from sublight.core.snapshot import check_path
from sublight.messages.assets import StoredFile
from sublight.messages.people import WorkspaceView
from sublight.sdk.assets import Asset
from sublight.sdk.client import API, Client
from sublight.sdk.datastores import Datastore

FOLDER_VARIABLE = "SUBLIGHT_COPIES"
_READ_ONLY = 0o444

# A file of a tree: its path there, the name of its content, its size, and how to fetch it into a folder under that name.
_Part = tuple[str, str, int, Callable[[Path, str], Path]]


class LocalCopies:
    """A cache of files of a workspace, below ``folder``; see ``default_folder`` for where it lies without one."""

    def __init__(self, client: Client, folder: str | Path | None = None) -> None:
        self._client = client
        # Absolute, because scripts change their working directory and keep the paths that they were given.
        self._folder = (Path(folder) if folder is not None else default_folder()).absolute()
        self._workspace_id = ""

    def of_asset(self, asset: Asset) -> Path:
        """A folder that holds all files of the asset under their paths; read it, never write to it."""
        parts: list[_Part] = [
            (file.path, file.sha256, file.size_bytes, partial(asset.fetch_file, file)) for file in asset.files()
        ]
        return self._tree(f"{asset.kind}-{asset.id}", parts)

    def of_datastore(self, datastore: Datastore, prefix: str = "") -> Path:
        """A folder that stands for the datastore's own, with the files in it whose path begins with ``prefix``.

        They lie under their whole paths: those of the folder ``a/b`` are in the answer's ``a/b``. A file that was changed
        in the datastore since the last time (in size or time) is fetched anew, and then the answer is another folder.
        """
        parts: list[_Part] = [
            (file.path, self._name_of(datastore, file), file.size_bytes, partial(datastore.fetch_file, file))
            for file in datastore.files(prefix)
        ]
        version = hashlib.sha256("\n".join(f"{path}\t{content}" for path, content, _, _ in parts).encode()).hexdigest()
        return self._tree(f"{datastore.name}-{version[:32]}", parts)

    def _tree(self, name: str, parts: Sequence[_Part]) -> Path:
        tree = self._folder / "trees" / name
        with _plain_errors(self._folder):
            for folder in (self._folder, tree.parent, self._folder / "contents", self._folder / "locks"):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _is_whole(tree, parts):
                return tree
            contents = [(path, self._content(content, size, fetch)) for path, content, size, fetch in parts]
            with self._lock(name):
                if not _is_whole(tree, parts):
                    self._build(tree, contents)
        return tree

    def _content(self, name: str, size_bytes: int, fetch: Callable[[Path, str], Path]) -> Path:
        """The file that holds a content, fetched unless it is there."""
        place = self._folder / "contents" / name[:2] / name
        if _has_size(place, size_bytes):
            return place
        with self._lock(name):
            if not _has_size(place, size_bytes):
                place.parent.mkdir(mode=0o700, exist_ok=True)
                # Not under its own name yet: what is fetched becomes visible only when it is whole and not writable.
                with tempfile.TemporaryDirectory(dir=place.parent, prefix=".part-") as folder:
                    fetched = fetch(Path(folder), "content")
                    if not _has_size(fetched, size_bytes):
                        raise Conflict("a file of the datastore was changed while it was being fetched; try again")
                    fetched.chmod(_READ_ONLY)
                    fetched.replace(place)
        return place

    def _build(self, tree: Path, contents: Sequence[tuple[str, Path]]) -> None:
        new = Path(tempfile.mkdtemp(dir=tree.parent, prefix=".part-"))
        try:
            for path, content in contents:
                place = new / check_path(path)
                place.parent.mkdir(parents=True, exist_ok=True)
                try:
                    os.link(content, place)
                except OSError as error:
                    if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV, errno.EACCES):
                        raise
                    shutil.copyfile(content, place)
                    place.chmod(_READ_ONLY)
            new.chmod(0o700)
            if tree.exists():
                # Somebody has damaged it. A run may be reading it all the same, so it is moved, not emptied, first.
                old = tempfile.mkdtemp(dir=tree.parent, prefix=".old-")
                tree.rename(Path(old) / "tree")
                shutil.rmtree(old, ignore_errors=True)
            new.rename(tree)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise

    @contextlib.contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        """One process (and one thread) at a time for a name; given up by the system when a process dies."""
        import fcntl

        descriptor = os.open(self._folder / "locks" / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _name_of(self, datastore: Datastore, file: StoredFile) -> str:
        """What names a content of a datastore, which has no hash: where it lies, how large it is, when it was changed."""
        if not self._workspace_id:
            self._workspace_id = self._client.get(f"{API}/workspace", WorkspaceView).id
        facts = (self._workspace_id, datastore.name, file.path, str(file.size_bytes), repr(file.modified))
        return hashlib.sha256("\0".join(facts).encode()).hexdigest()


def default_folder() -> Path:
    """The folder that SUBLIGHT_COPIES names, else ``sublight/copies`` in the user's cache folder."""
    named = os.environ.get(FOLDER_VARIABLE, "").strip()
    if named:
        return Path(named)
    cache = os.environ.get("XDG_CACHE_HOME", "").strip()
    return (Path(cache) if os.path.isabs(cache) else Path.home() / ".cache") / "sublight" / "copies"


def _is_whole(tree: Path, parts: Sequence[_Part]) -> bool:
    return tree.is_dir() and all(_has_size(tree / path, size) for path, _, size, _ in parts)


def _has_size(file: Path, size_bytes: int) -> bool:
    try:
        return file.stat().st_size == size_bytes
    except OSError:
        return False


@contextlib.contextmanager
def _plain_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(
                f"the disk of {folder}, where copies of files are kept on this machine, is full; free some space, or "
                f"name another folder in {FOLDER_VARIABLE}"
            ) from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise InvalidInput(
                f"{folder}, where copies of files are kept on this machine, cannot be written ({error.strerror}); "
                f"name another folder in {FOLDER_VARIABLE}"
            ) from error
        raise
