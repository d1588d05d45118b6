"""Values of parameters, and the checks that all distributions share."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any, TypeAlias, TypeGuard, TypeVar

from sublight.core.errors import InvalidInput

Value: TypeAlias = str | int | float | bool | None
# The values of one trial by the name of the parameter, in declared order.
Point: TypeAlias = dict[str, Value]
Number: TypeAlias = int | float

_NumberT = TypeVar("_NumberT", int, float)

# Multiples of q are counted by whole numbers that a float represents exactly.
STEPS_MAX = 2**53
# No draw lies further from the mean of a normal distribution (see normal.py).
SIGMAS_MAX = 8.3
_EXPONENT_MAX = 709.0  # exp of more than this is no float


def plain(value: object) -> object:
    """``value`` as a plain Python value: a NumPy scalar or a subclass of int, float or str loses its special type.

    Arguments of a script are made by ``repr``; ``np.float64(0.5)`` must not become a part of them.
    """
    if type(value).__module__ == "numpy" and hasattr(value, "item"):
        value = value.item()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, str):
        return str.__str__(value)
    return value


def shown(value: object) -> str:
    """``value`` as it is quoted in a sentence; long ones are cut."""
    text = f"the text {value!r}" if isinstance(value, str) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def is_number(value: object) -> TypeGuard[int | float]:
    """True for finite ints and floats; a bool is not a number here."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an int beyond the range of floats
        return False


def is_value(value: object) -> TypeGuard[Value]:
    """True for what a parameter may be: text, a finite number, a bool or None."""
    return value is None or isinstance(value, (str, bool)) or is_number(value)


def mix(low: float, high: float, u: float) -> float:
    """The point a share ``u`` of the way from ``low`` to ``high``, in a form that cannot overflow."""
    return low * (1 - u) + high * u


def share_between(low: float, x: float, high: float) -> float:
    """The inverse of ``mix``, kept within 0..1; 0.5 when the bounds are equal."""
    if low == high:
        return 0.5
    # Halves, because the difference of two large numbers can overflow.
    return between(0.0, (x / 2 - low / 2) / (high / 2 - low / 2), 1.0)


def between(low: _NumberT, x: _NumberT, high: _NumberT) -> _NumberT:
    """``x``, kept within the bounds."""
    return min(max(low, x), high)


def make_numbers(distribution: Any) -> None:
    """Make every argument of a distribution a plain finite number, or say which one is not."""
    for field in fields(distribution):
        given = getattr(distribution, field.name)
        number = plain(given)
        if not is_number(number):
            hint = "; YAML reads 1e-5 as text, write 1.0e-5" if isinstance(number, str) else ""
            raise InvalidInput(f"{distribution.kind} needs a finite number for {field.name}, got {shown(given)}{hint}")
        object.__setattr__(distribution, field.name, number)


def check_range(kind: str, low: float, high: float) -> None:
    if not low < high:
        raise InvalidInput(f"{kind} needs a min_value below its max_value, got {low} and {high}")


def check_log_range(kind: str, low: float, high: float) -> None:
    """The bounds of the log distributions are values, so they are positive; say what was probably meant if not."""
    if low <= 0:
        raise InvalidInput(
            f"{kind} takes the values themselves, not their exponents as in Azure ML, so min_value must be above 0, "
            f"got {low}{_exponents_as_values(kind, low, high)}"
        )
    if low > high:
        raise InvalidInput(f"{kind} needs a min_value of at most its max_value, got {low} and {high}")


def check_q(q: float, kind: str, *magnitudes: float) -> None:
    """``q`` is positive, and no result needs more multiples of it than can be counted exactly."""
    if q <= 0:
        raise InvalidInput(f"{kind} needs a q above 0, got {q}")
    largest = max(abs(magnitude) for magnitude in magnitudes)
    # Compared by multiplication, because dividing by a very small q overflows.
    if largest > q * STEPS_MAX:
        raise InvalidInput(f"{kind} needs a larger q: {q} is too fine for values as large as {largest:g}")


def check_sigma(kind: str, mu: float, sigma: float) -> None:
    if sigma < 0:
        raise InvalidInput(f"{kind} needs a sigma of at least 0, got {sigma}")
    if not math.isfinite(abs(mu) + SIGMAS_MAX * sigma):
        raise InvalidInput(f"{kind} needs a smaller mu or sigma: with {mu} and {sigma} its values overflow")


def check_exponent(kind: str, mu: float, sigma: float) -> None:
    """mu and sigma of the lognormals describe the logarithm; people who give the values themselves overflow."""
    if abs(mu) + SIGMAS_MAX * sigma > _EXPONENT_MAX:
        raise InvalidInput(
            f"{kind} takes mu and sigma of the logarithm, and with mu {mu} and sigma {sigma} its values leave the "
            f"range of numbers; keep |mu| + {SIGMAS_MAX} * sigma below {_EXPONENT_MAX:.0f}"
        )


def _exponents_as_values(kind: str, low: float, high: float) -> str:
    if not low <= high or max(abs(low), abs(high)) > _EXPONENT_MAX:
        return ""
    more = ", q" if kind.startswith("q") else ""
    return f"; the exponents {low} and {high} are written {kind}({math.exp(low):.4g}, {math.exp(high):.4g}{more})"
