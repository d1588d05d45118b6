"""Folders of a node that a person chose by ``path_on_compute="/somewhere"``, where one run comes after the other.

The original's runs each had a container, in which such a folder was new. Here it is a link to a folder of its own for
every content, so that no run reads what another one was given, and nothing that others keep at that place is touched.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from azureml.exceptions import UserErrorException

# The folders that this process uses, with the locks that say so (the system gives them up with the process) and where
# each leads.
_held: dict[Path, tuple[int, Path]] = {}


def claim(folder: Path, content: str) -> bool:
    """Let ``folder`` be there for a content, empty unless a run has had the same one there.

    False when it is somebody's own folder, with files in it. UserErrorException while a run that still goes on has
    another content there.
    """
    places = _places()
    if not _may_be_replaced(folder, places):
        return False
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    own = places / f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:16]}"
    if folder in _held:
        if _held[folder][1] != own:
            raise UserErrorException(
                f"two inputs with other files each are to lie in {folder}; give each its own folder"
            )
        return True
    with _turn(places / f"{name}.turn"):
        _held[folder] = (_lock(places / f"{name}.used", folder, own), own)
    return True


def _places() -> Path:
    from sublight.sdk.local_copies import default_folder

    places = default_folder().absolute() / "places"
    places.mkdir(mode=0o700, parents=True, exist_ok=True)
    return places


def _may_be_replaced(folder: Path, places: Path) -> bool:
    if folder.is_symlink():
        return Path(os.readlink(folder)).parent == places
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


@contextlib.contextmanager
def _turn(file: Path) -> Iterator[None]:
    """One process at a time looks at a folder and changes it."""
    import fcntl

    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _lock(file: Path, folder: Path, own: Path) -> int:
    """Let ``folder`` lead to ``own``, and share it with other runs that want the same."""
    import fcntl

    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not (folder.is_symlink() and Path(os.readlink(folder)) == own and own.is_dir()):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            own.mkdir(exist_ok=True)
            _link(folder, own)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    except BlockingIOError:
        os.close(descriptor)
        raise UserErrorException(
            f"another run on this machine has other files in {folder} at this moment; leave out path_on_compute, and "
            f"each run gets a folder of its own"
        ) from None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _link(folder: Path, own: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.is_dir() and not folder.is_symlink():
        folder.rmdir()  # it is empty
    link = folder.with_name(f".{folder.name}.{os.getpid()}")
    link.unlink(missing_ok=True)
    link.symlink_to(own, target_is_directory=True)
    os.replace(link, folder)
