"""Stand-ins for names of NumPy that were removed without a namesake."""

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


class _Cast:
    """``cast["f"](values)``: the function that makes an array of a type."""

    def __getitem__(self, key: Any) -> Any:
        import numpy

        kind = numpy.dtype(key)
        return lambda values: numpy.asarray(values).astype(kind)


cast = _Cast()


class MachAr:
    """What floats of this machine can hold, under the names that it had."""

    def __init__(self, *_conversions: Any, **_names: Any) -> None:
        import numpy

        known = numpy.finfo(numpy.float64)
        self.ibeta, self.it, self.iexp = 2, known.nmant, known.iexp
        self.machep, self.negep = known.machep, known.negep
        self.maxexp, self.minexp = known.maxexp, known.minexp
        self.eps = self.epsilon = known.eps
        self.epsneg = known.epsneg
        self.xmin = self.tiny = self.smallest_normal = known.tiny
        self.xmax = self.huge = known.max
        self.precision, self.resolution = known.precision, known.resolution
