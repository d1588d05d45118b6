"""Old names of styles and arguments of Matplotlib."""

from __future__ import annotations

import functools
from typing import Any

from azureml._node.compat.announcing import announce

_TAKES_ANY_KEYWORD = 0x08  # inspect.CO_VARKEYWORDS


def patch_use(module: Any) -> None:
    """``use("Agg", warn=False)``: there is no warning any more that could be switched off."""
    original = module.use

    @functools.wraps(original)
    def use(backend: Any, *args: Any, **kwargs: Any) -> Any:
        # By position the old order was: warn, force.
        if len(args) > 1:
            kwargs.setdefault("force", args[1])
        if args or "warn" in kwargs:
            announce("matplotlib.use(warn=) was removed in Matplotlib 3.3; accepted, nothing is warned of")
            kwargs.pop("warn", None)
        return original(backend, **kwargs)

    if "warn" not in original.__code__.co_varnames:
        module.use = use


def patch_figure(module: Any) -> None:
    """``figure.gca(projection="3d")`` finds axes of that kind, or makes them."""
    base = getattr(module, "FigureBase", module.Figure)
    original = base.gca
    if original.__code__.co_flags & _TAKES_ANY_KEYWORD:
        return  # before 3.6

    @functools.wraps(original)
    def gca(self: Any, **kwargs: Any) -> Any:
        if not kwargs:
            return original(self)
        announce("gca(projection=) was removed in Matplotlib 3.6; put back with add_subplot")
        if self.axes and original(self).name == (kwargs.get("projection") or "rectilinear"):
            return original(self)
        return self.add_subplot(1, 1, 1, **kwargs)

    base.gca = gca


def patch_pyplot(module: Any) -> None:
    """The same of ``pyplot.gca(projection="3d")``."""
    original = module.gca
    if original.__code__.co_flags & _TAKES_ANY_KEYWORD:
        return

    @functools.wraps(original)
    def gca(**kwargs: Any) -> Any:
        return module.gcf().gca(**kwargs) if kwargs else original()

    module.gca = gca


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
