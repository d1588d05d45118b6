"""The names of the Azure ML SDK v1 over Sublight. Nothing is loaded until a name is used."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # ``typing`` would cost every training script a third of what importing Run may take
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from typing import Any

__version__ = "0.1.0"


class _OutOfScope:
    """Finds what is not on the disk: packages of the SDK v1 that are not supported, so that they can be imported."""

    @staticmethod
    def find_spec(name: str, _path: Any = None, _target: Any = None) -> ModuleSpec | None:
        """A module of placeholders for ``name``; None when the facade speaks for it itself, or it is none of v1."""
        if not name.startswith("azureml."):
            return None
        from azureml import _out_of_scope

        return _out_of_scope.spec_of(name)


if not any(getattr(finder, "__name__", "") == _OutOfScope.__name__ for finder in sys.meta_path):
    sys.meta_path.append(_OutOfScope)


def __getattr__(name: str) -> Any:
    if not name.startswith("__"):
        submodule = f"{__name__}.{name}"
        try:
            __import__(submodule)
            return sys.modules[submodule]
        except ModuleNotFoundError as error:
            if error.name != submodule:
                raise
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
