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


def patch_threading(module: Any) -> None:
    """``Thread.isAlive`` is ``is_alive``."""
    if hasattr(module.Thread, "isAlive"):
        return

    def is_alive(thread: Any) -> bool:
        announce("Thread.isAlive was removed in Python 3.9; put back as Thread.is_alive")
        return bool(thread.is_alive())

    module.Thread.isAlive = is_alive
