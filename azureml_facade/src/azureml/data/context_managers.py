"""Files of a dataset in a folder for a while: what ``FileDataset.mount()`` gives."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path


class BasicMountContext:
    """A folder that holds the files from ``start`` to ``stop``, or within ``with``.

    Where v1 mounted a file system that fetched files when they were read, the files are fetched at ``start``; they are to
    be read only, as there.
    """

    def __init__(self, fill: Callable[[Path], list[Path]], mount_point: str | None = None) -> None:
        self._fill = fill
        self._is_own_folder = mount_point is None
        self._mount_point = mount_point or os.path.join(tempfile.gettempdir(), f"sublight_mount_{os.urandom(6).hex()}")
        self._placed: list[Path] | None = None

    @property
    def mount_point(self) -> str:
        """The folder."""
        return self._mount_point

    def start(self) -> None:
        """Put the files into the folder."""
        if self._placed is None:
            folder = Path(self._mount_point)
            folder.mkdir(parents=True, exist_ok=True)
            self._placed = self._fill(folder)

    def stop(self) -> None:
        """Take the files away again; a folder that the caller named stays, with what was in it before."""
        placed, self._placed = self._placed, None
        if placed is None:
            return
        if self._is_own_folder:
            shutil.rmtree(self._mount_point, ignore_errors=True)
        else:
            for file in placed:
                file.unlink(missing_ok=True)

    def __enter__(self) -> BasicMountContext:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()


MountContext = BasicMountContext
