"""``diagnostic_log``: everything that the facade and Sublight log, in a file, for as long as it is open."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable
from types import TracebackType

_FORMAT = "%(asctime)s|%(name)s|%(levelname)s|%(message)s"
_NAMESPACES = ("azureml", "sublight")


class diagnostic_log:  # the original's name
    """Writes what the loggers ``namespaces`` say to the file ``log_path``; a context manager.

    Without a path the file is made in the folder ``logs`` of the working directory, named after ``context_name`` and the
    time.
    """

    def __init__(
        self,
        log_path: str | os.PathLike[str] | None = None,
        namespaces: Iterable[str] | None = None,
        context_name: str | None = None,
    ) -> None:
        name = f"{context_name or 'azureml'}_{time.strftime('%Y%m%d_%H%M%S')}.log"
        path = os.path.join("logs", name) if log_path is None else os.fspath(log_path)
        self._path = os.path.join(path, name) if os.path.isdir(path) else path
        self._namespaces = tuple(namespaces) if namespaces is not None else _NAMESPACES
        self._handler: logging.Handler | None = None
        self._levels: dict[str, int] = {}

    def start_capture(self) -> None:
        """Begin; again is harmless."""
        if self._handler is not None:
            return
        os.makedirs(os.path.dirname(self._path) or ".", exist_ok=True)
        self._handler = logging.FileHandler(self._path, encoding="utf-8")
        self._handler.setFormatter(logging.Formatter(_FORMAT))
        for namespace in self._namespaces:
            logger = logging.getLogger(namespace)
            self._levels[namespace] = logger.level
            logger.setLevel(logging.DEBUG)
            logger.addHandler(self._handler)

    def stop_capture(self) -> None:
        """End, and close the file; again is harmless."""
        if self._handler is None:
            return
        for namespace, level in self._levels.items():
            logger = logging.getLogger(namespace)
            logger.removeHandler(self._handler)
            logger.setLevel(level)
        self._handler.close()
        self._handler = None

    def __enter__(self) -> diagnostic_log:
        self.start_capture()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop_capture()
