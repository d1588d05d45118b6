"""Stand-ins for what Python itself dropped."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

from azureml._node.compat.announcing import announce

ArgSpec = namedtuple("ArgSpec", "args varargs keywords defaults")


def getargspec(func: Any) -> ArgSpec:
    """Names and defaults of a function's parameters."""
    from inspect import getfullargspec

    spec = getfullargspec(func)
    return ArgSpec(spec.args, spec.varargs, spec.varkw, spec.defaults)


def escape(s: str, quote: bool = False) -> str:
    """A text for HTML; quotation marks stay as they are, unless ``quote`` is given."""
    import html

    escaped = html.escape(s, quote=False)
    return escaped.replace('"', "&quot;") if quote else escaped


def coroutine(func: Any) -> Any:
    """A coroutine of a generator that waits with ``yield from``, or of a plain function."""
    import functools
    import inspect
    import types

    if inspect.iscoroutinefunction(func):
        return func
    begun = types.coroutine(func) if inspect.isgeneratorfunction(func) else func

    @functools.wraps(func)
    async def run(*args: Any, **kwargs: Any) -> Any:
        result = begun(*args, **kwargs)
        return await result if inspect.isawaitable(result) else result

    return run


def patch_threading(module: Any) -> None:
    """``Thread.isAlive`` is ``is_alive``."""
    if hasattr(module.Thread, "isAlive"):
        return

    def is_alive(thread: Any) -> bool:
        announce("Thread.isAlive was removed in Python 3.9; put back as Thread.is_alive")
        return bool(thread.is_alive())

    module.Thread.isAlive = is_alive
