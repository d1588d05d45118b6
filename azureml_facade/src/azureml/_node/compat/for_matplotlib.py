"""Old names of styles and arguments of Matplotlib."""

from __future__ import annotations

import functools
from typing import Any

from azureml._node.compat.announcing import announce


def patch_style(module: Any) -> None:
    """The styles ``seaborn…`` are called ``seaborn-v0_8…``."""
    library = getattr(module, "library", {})
    for name in [name for name in library if name.startswith("seaborn-v0_8")]:
        library.setdefault("seaborn" + name[len("seaborn-v0_8") :], library[name])


def patch_axes(module: Any) -> None:
    """``grid(b=True)`` is ``grid(visible=True)``."""
    original = module.Axes.grid
    if "b" in original.__code__.co_varnames:
        return  # before 3.6

    @functools.wraps(original)
    def grid(self: Any, *args: Any, **kwargs: Any) -> Any:
        if "b" in kwargs:
            announce("grid(b=) was removed in Matplotlib 3.6; put back as grid(visible=)")
            kwargs["visible"] = kwargs.pop("b")
        return original(self, *args, **kwargs)

    module.Axes.grid = grid
