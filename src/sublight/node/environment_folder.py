"""Where built environments lie: one folder for all nodes of a workspace on this machine, each environment by its key.

::

    environments/   <key>/        the environment (``bin/python`` …); ``ready.json`` is written last: without it the
                                  folder counts as not there
                    <key>.lock    held alone by who builds or removes, together by those whose scripts run in it
                    packages/     what every script can import of ours, and nothing else
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

_READY_FILE = "ready.json"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What became of an environment. ``changes``: how it differs from what was asked for; ``seconds``: to build it."""

    name: str
    python: str
    packages: dict[str, str]
    changes: list[str]
    notes: list[str]
    size_bytes: int = 0
    seconds: float = 0.0
    built: float = 0.0


class EnvironmentFolder:
    """One environment on the disk."""

    def __init__(self, root: Path, key: str) -> None:
        self.path = root / key
        self._lock_file = root / f"{key}.lock"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.path / "bin" / "python"

    def facts(self) -> Facts | None:
        """What it is, once it is ready."""
        try:
            return Facts(**json.loads((self.path / _READY_FILE).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None  # not there, half built, or by another version of Sublight

    def finish(self, facts: Facts) -> None:
        """Say that it is ready. Called by who holds the lock alone."""
        draft = self.path / f"{_READY_FILE}.draft"
        draft.write_text(json.dumps(asdict(facts)))
        os.replace(draft, self.path / _READY_FILE)

    def touch(self) -> None:
        """It was used now."""
        try:
            os.utime(self.path / _READY_FILE)
        except OSError:
            return  # it only looks older than it is

    def used(self) -> float:
        """When it was used last, in seconds since 1970."""
        try:
            return os.stat(self.path / _READY_FILE).st_mtime
        except OSError:
            return 0.0

    def clear(self) -> None:
        """Remove it; first it stops being ready. Called by who holds the lock alone."""
        (self.path / _READY_FILE).unlink(missing_ok=True)
        shutil.rmtree(self.path, ignore_errors=True)

    def measure(self) -> int:
        """The bytes of its files, whether or not they are shared with uv's cache."""
        total = 0
        for folder, _, names in os.walk(self.path):
            for name in names:
                total += os.lstat(os.path.join(folder, name)).st_size
        return total

    @contextmanager
    def locked_alone(self, waits: Callable[[], None]) -> Iterator[None]:
        """Hold the lock alone; ``waits`` is called once when others hold it, before they are waited for."""
        descriptor = self.try_lock(is_exclusive=True)
        if descriptor is None:
            waits()
            descriptor = self._open_lock()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def try_lock(self, *, is_exclusive: bool) -> int | None:
        """A descriptor that holds the lock until it is closed; None when others hold it."""
        descriptor = self._open_lock()
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if is_exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def _open_lock(self) -> int:
        return os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def tidy(root: Path, bytes_max: int, *, spare: str) -> None:
    """Remove what was used longest ago until the environments are within their limit; what runs is passed over."""
    keys = [entry.name for entry in root.iterdir() if len(entry.name) == 64 and entry.is_dir() and entry.name != spare]
    folders = sorted((EnvironmentFolder(root, key) for key in keys), key=EnvironmentFolder.used)
    sizes = {folder.path: facts.size_bytes if (facts := folder.facts()) else 0 for folder in folders}
    total = sum(sizes.values())
    for folder in folders:
        is_whole = folder.facts() is not None
        if is_whole and total <= bytes_max:
            continue
        descriptor = folder.try_lock(is_exclusive=True)
        if descriptor is None:
            continue
        try:
            folder.clear()
            total -= sizes[folder.path]
        finally:
            os.close(descriptor)
