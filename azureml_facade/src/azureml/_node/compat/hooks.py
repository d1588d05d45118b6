"""Waiting for imports: modules that are gone come from elsewhere, modules that are there get their old names back."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from azureml._node.compat import tables
from azureml._node.compat.announcing import announce

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

# Code that asks modules for any name at all (to pickle, to inspect) gets no old ones.
_ASKERS = frozenset({"pickle", "_pickle", "inspect", "copyreg", "doctest", "pydoc", "unittest", "cloudpickle"})


def install() -> None:
    """Put the hooks in, once in a process."""
    if any(isinstance(finder, _AfterImport) for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, _AfterImport())
    sys.meta_path.append(_GoneModules())
    for name in sorted(tables.patched_modules()):
        module = sys.modules.get(name)
        if module is not None:
            _patch(module)


class _AfterImport(MetaPathFinder):
    """Lets the other finders find a module, and patches it when it has been loaded."""

    def __init__(self) -> None:
        self._patched = tables.patched_modules()
        self._busy: set[str] = set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._patched or fullname in self._busy:
            return None
        self._busy.add(fullname)
        try:
            spec = _spec_of_others(self, fullname, path, target)
        finally:
            self._busy.discard(fullname)
        if spec is None or spec.loader is None or not hasattr(spec.loader, "exec_module"):
            return None
        spec.loader = _PatchingLoader(spec.loader)
        return spec


def _spec_of_others(
    own: MetaPathFinder, fullname: str, path: Sequence[str] | None, target: ModuleType | None
) -> ModuleSpec | None:
    for finder in sys.meta_path:
        if finder is not own and hasattr(finder, "find_spec"):
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                return spec
    return None


class _PatchingLoader(Loader):
    """The module's own loader, and the patch after it; the module keeps no trace of this one."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        spec.loader = self._inner
        try:
            created: ModuleType | None = self._inner.create_module(spec)
        finally:
            spec.loader = self
        return created

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._inner
        module.__loader__ = self._inner
        self._inner.exec_module(module)
        _patch(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _GoneModules(MetaPathFinder, Loader):
    """Comes last: a module that nobody finds any more, and that lives on elsewhere."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        found = _moved(fullname)
        return None if found is None else ModuleSpec(fullname, self, origin=found[0], is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        found = _moved(name)
        if found is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        home, removed = found
        real = importlib.import_module(home)
        sys.modules[name] = real
        if removed:
            announce(f"the module {name} was removed in {removed}; put back as {home}")


def _moved(fullname: str) -> tuple[str, str] | None:
    """Where a module lives now, and since when; a module inside a moved one moved with it, silently."""
    entry = tables.MODULES.get(fullname)
    if entry is not None:
        return entry if _is_there(entry[0]) else None
    upper = fullname
    while "." in upper:
        upper = upper.rpartition(".")[0]
        if upper in tables.MODULES:
            home = tables.MODULES[upper][0] + fullname[len(upper) :]
            return (home, "") if _is_there(home) else None
    return None


def _is_there(name: str) -> bool:
    try:
        return name in sys.modules or importlib.util.find_spec(name) is not None
    except (ImportError, ValueError, AttributeError):
        return False


def _patch(module: ModuleType) -> None:
    names = tables.NAMES.get(module.__name__)
    if names:
        _give_names(module, names)
    patcher = tables.PATCHERS.get(module.__name__)
    if patcher is not None:
        home, function = patcher.split(":")
        getattr(importlib.import_module(home), function)(module)


def _give_names(module: ModuleType, names: dict[str, tuple[str, str]]) -> None:
    """Let the module answer for old names; its own answer, if it has one, comes after ours."""
    own: Callable[[str], Any] | None = module.__dict__.get("__getattr__")
    library = module.__name__.partition(".")[0]

    def __getattr__(name: str) -> Any:
        entry = names.get(name)
        if entry is not None:
            asker = str(sys._getframe(1).f_globals.get("__name__", "")).partition(".")[0]
            if asker not in _ASKERS and asker != library:
                source, removed = entry
                value = _resolved(source)
                announce(f"{_short(module.__name__)}.{name} was removed in {removed}; put back as {_shown(source)}")
                module.__dict__[name] = value
                return value
        if own is not None:
            return own(name)
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

    module.__dict__["__getattr__"] = __getattr__


def _resolved(source: str) -> Any:
    """``module:attribute`` or ``module:`` for a module itself."""
    home, _, attribute = source.partition(":")
    value: Any = importlib.import_module(home)
    for part in filter(None, attribute.split(".")):
        value = getattr(value, part)
    return value


def _shown(source: str) -> str:
    home, _, attribute = source.partition(":")
    if home == "builtins":
        return attribute
    if home.startswith("azureml."):
        return "a stand-in"
    return f"{_short(home)}.{attribute}" if attribute else home


def _short(name: str) -> str:
    return {"numpy": "np", "pandas": "pd"}.get(name, name)
