"""Small tools to give functions and classes their old arguments back."""

from __future__ import annotations

import functools
import inspect
import os
import re
import sys
from typing import TYPE_CHECKING

from azureml._node.compat.announcing import announce

_NUMBER = re.compile(r"\d+")

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    # What to do with an old argument: (value, arguments) -> None, changing ``arguments`` in place.
    Fix = Callable[[Any, dict[str, Any]], None]


def version_of(library: Any) -> tuple[int, ...]:
    """The first numbers of a library's version, for comparing: what is still there needs not be put back."""
    return tuple(int(part) for part in _NUMBER.findall(str(getattr(library, "__version__", "")))[:2])


def renamed(new: str) -> Fix:
    """The argument is called ``new`` now."""

    def fix(value: Any, arguments: dict[str, Any]) -> None:
        arguments.setdefault(new, value)

    return fix


def dropped(value: Any, arguments: dict[str, Any]) -> None:
    """The argument has no effect any more."""


def with_old_arguments(
    function: Callable[..., Any], shown: str, fixes: Mapping[str, tuple[Fix, str]]
) -> Callable[..., Any]:
    """``function`` taking old arguments by name: {argument: (what to do with it, how that is told)}.

    An argument that the function takes itself is left alone, so that an older library is not touched.
    """
    # An older library's own decorators must not hide what the function takes.
    code = getattr(inspect.unwrap(function), "__code__", None)
    taken = set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]) if code is not None else set()
    wanted = {name: fix for name, fix in fixes.items() if name not in taken}
    if not wanted:
        return function

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if kwargs and not wanted.keys().isdisjoint(kwargs):
            for name in [name for name in kwargs if name in wanted]:
                fix, told = wanted[name]
                value = kwargs.pop(name)
                fix(value, kwargs)
                announce(f"{shown}({name}=) {told}")
        return function(*args, **kwargs)

    return wrapper


def with_old_positions(function: Callable[..., Any], shown: str, names: Sequence[str]) -> Callable[..., Any]:
    """A method that takes only ``self`` and few arguments by position, taking all of ``names`` that way again."""
    code = getattr(function, "__code__", None)
    if code is None:
        return function
    allowed = code.co_argcount - 1
    if allowed >= len(names):
        return function

    @functools.wraps(function)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        if len(args) > allowed:
            extra = dict(zip(names[allowed:], args[allowed:]))
            announce(f"{shown} takes {', '.join(extra)} by name only since pandas 2.0; taken by position again")
            kwargs = {**extra, **kwargs}
            args = args[:allowed]
        return function(self, *args, **kwargs)

    return wrapper


_OWN_FOLDER = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_LIBRARY_FOLDERS = (os.path.dirname(os.path.abspath(os.__file__)), _OWN_FOLDER)


def is_called_by_user(depth: int = 2) -> bool:
    """True when the caller's caller is the user's own code, no installed library."""
    file = sys._getframe(depth).f_code.co_filename
    return "site-packages" not in file and "dist-packages" not in file and not file.startswith(_LIBRARY_FOLDERS)
