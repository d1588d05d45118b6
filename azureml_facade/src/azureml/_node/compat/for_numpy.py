"""Stand-ins for functions of NumPy that were removed without a namesake."""

from __future__ import annotations

from typing import Any

NINF = float("-inf")
PZERO = 0.0
NZERO = -0.0


def asfarray(a: Any, dtype: Any = None) -> Any:
    """An array of floats."""
    import numpy

    wanted = numpy.float64 if dtype is None or not numpy.issubdtype(dtype, numpy.inexact) else dtype
    return numpy.asarray(a, dtype=wanted)


def asscalar(a: Any) -> Any:
    """The single element of an array, as a Python value."""
    return a.item()


def msort(a: Any) -> Any:
    """A copy sorted along the first axis."""
    import numpy

    return numpy.sort(a, axis=0)
