"""How large a source folder may be: scripts raise the limit by assigning ``SNAPSHOT_MAX_SIZE_BYTES`` of this module."""

from __future__ import annotations

import os
import sys
from types import ModuleType
from typing import Any

# Sublight's own limit, in MB; it is what a submission asks.
_VARIABLE = "SUBLIGHT_SNAPSHOT_LIMIT_MB"
_DEFAULT_BYTES = 314_572_800
_BYTES_PER_MB = 1_000_000


class _WithLimit(ModuleType):
    """The module itself, so that assigning the limit has the effect that it had."""

    @property
    def SNAPSHOT_MAX_SIZE_BYTES(self) -> int:  # the original's name
        """The size of a source folder that is still sent."""
        megabytes = os.environ.get(_VARIABLE, "").strip()
        return int(megabytes) * _BYTES_PER_MB if megabytes.isdigit() else _DEFAULT_BYTES

    @SNAPSHOT_MAX_SIZE_BYTES.setter
    def SNAPSHOT_MAX_SIZE_BYTES(self, size_bytes: float) -> None:
        os.environ[_VARIABLE] = str(max(1, -(-int(size_bytes) // _BYTES_PER_MB)))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        from azureml._out_of_scope import placeholder

        return placeholder(self.__name__, name)


sys.modules[__name__].__class__ = _WithLimit
