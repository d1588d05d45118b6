"""What a distribution of numbers offers, and the five bounded ones.

Every distribution is described by its inverse cumulative distribution function, ``quantile``: it turns a number u
between 0 and 1 into a value. One function thus serves random draws (u uniform), Sobol points (u from the sequence) and
proposals of a model (u as the model's coordinate), and all of them respect the same bounds.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import ClassVar

from sublight.core.errors import InvalidInput
from sublight.core.search_space.values import (
    STEPS_MAX,
    Number,
    between,
    check_log_range,
    check_q,
    check_range,
    is_number,
    make_numbers,
    mix,
    plain,
    share_between,
    shown,
)

_HALF = Fraction(1, 2)


class Numeric(ABC):
    """A distribution of numbers; a frozen value that checks its arguments when it is made.

    ``size`` is the number of distinct values, None when there are infinitely many; ``nth`` gives each of them once, in
    rising order, and ``index_of`` is its inverse. Both are for distributions with a ``size`` only.
    """

    __slots__ = ()
    kind: ClassVar[str]

    @abstractmethod
    def quantile(self, u: float) -> Number:
        """The value below which a share ``u`` (0..1) of all draws falls."""

    @abstractmethod
    def contains(self, value: object) -> bool:
        """True when the distribution can give ``value``."""

    @property
    def size(self) -> int | None:
        """How many distinct values there are; None when infinitely many."""
        return None

    def nth(self, index: int) -> Number:
        """The value number ``index`` (from 0, rising) of a finite distribution."""
        # Classes with more than one countable value override this; with one, every u gives it.
        assert (self.size, index) == (1, 0), f"{self.kind} has no value number {index}"
        return self.quantile(0.5)

    def index_of(self, value: Number) -> int:
        """The number of the value nearest to ``value`` in a finite distribution."""
        assert self.size == 1, f"{self.kind} cannot number {value}"
        return 0

    @abstractmethod
    def share_below(self, value: Number) -> float:
        """The u in 0..1 whose quantile is ``value`` or nearest to it: the inverse of ``quantile``."""

    def to_json(self) -> dict[str, object]:
        """``{"type": ..., and the arguments by name}``."""
        arguments = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        return {"type": self.kind, **arguments}


@dataclass(frozen=True, slots=True)
class RandInt(Numeric):
    """A whole number from 0 up to, but without, ``upper``; each equally likely."""

    kind: ClassVar[str] = "randint"
    upper: int

    def __post_init__(self) -> None:
        upper = plain(self.upper)
        if isinstance(upper, bool) or not isinstance(upper, int) or not 0 < upper <= STEPS_MAX:
            raise InvalidInput(
                f"upper of randint must be a whole number from 1 to {STEPS_MAX:,}, got {shown(self.upper)}"
            )
        object.__setattr__(self, "upper", upper)

    @property
    def size(self) -> int:
        return self.upper

    def quantile(self, u: float) -> int:
        return min(int(u * self.upper), self.upper - 1)

    def contains(self, value: object) -> bool:
        return is_number(value) and isinstance(value, int) and 0 <= value < self.upper

    def nth(self, index: int) -> int:
        return index

    def index_of(self, value: Number) -> int:
        return between(0, round(value), self.upper - 1)

    def share_below(self, value: Number) -> float:
        return (self.index_of(value) + 0.5) / self.upper


@dataclass(frozen=True, slots=True)
class Uniform(Numeric):
    """A real number between ``min_value`` and ``max_value``, equally likely everywhere."""

    kind: ClassVar[str] = "uniform"
    min_value: float
    max_value: float

    def __post_init__(self) -> None:
        make_numbers(self)
        check_range(self.kind, self.min_value, self.max_value)

    def quantile(self, u: float) -> float:
        return float(between(self.min_value, mix(self.min_value, self.max_value, u), self.max_value))

    def share_below(self, value: Number) -> float:
        return share_between(self.min_value, value, self.max_value)

    def contains(self, value: object) -> bool:
        return is_number(value) and self.min_value <= value <= self.max_value


@dataclass(frozen=True, slots=True)
class LogUniform(Numeric):
    """A number between ``min_value`` and ``max_value`` whose logarithm is uniform.

    The bounds are the VALUES themselves, not their exponents as in Azure ML.
    """

    kind: ClassVar[str] = "loguniform"
    min_value: float
    max_value: float

    def __post_init__(self) -> None:
        make_numbers(self)
        check_log_range(self.kind, self.min_value, self.max_value)

    @property
    def size(self) -> int | None:
        return 1 if self.min_value == self.max_value else None

    def quantile(self, u: float) -> float:
        value = math.exp(mix(math.log(self.min_value), math.log(self.max_value), u))
        return float(between(self.min_value, value, self.max_value))

    def share_below(self, value: Number) -> float:
        return share_between(math.log(self.min_value), math.log(value), math.log(self.max_value))

    def contains(self, value: object) -> bool:
        return is_number(value) and self.min_value <= value <= self.max_value


class Steps(Numeric):
    """What the four q-distributions share: results are multiples of ``q``, ints when everything is whole."""

    __slots__ = ()
    q: float

    @property
    def is_whole(self) -> bool:
        """True when all results are ints: q and the bounds, if there are any, are whole numbers."""
        return float(self.q).is_integer()

    def multiple(self, count: int) -> Number:
        """``count`` times q, without the dust of binary fractions (3 times 0.1 is 0.3)."""
        if self.is_whole:
            return count * int(self.q)
        return float(count * Decimal(repr(self.q)))

    def snap(self, x: float) -> Number:
        """The result nearest to ``x``."""
        return self.multiple(round(x / self.q))

    def is_result(self, value: object) -> bool:
        """True when ``value`` is what ``snap`` gives for it."""
        if not is_number(value) or abs(value) > self.q * STEPS_MAX or (self.is_whole and not isinstance(value, int)):
            return False
        return math.isclose(value, self.snap(value), rel_tol=1e-12)


class BoundedSteps(Steps):
    """Multiples of q between two bounds; a multiple outside becomes the bound, so there are finitely many values.

    ``x / q`` is rounded to the nearest whole number that has a share of the range to itself: a number exactly half way
    between two, at a bound, goes inwards. So every value that is counted can also be drawn.
    """

    min_value: float
    max_value: float

    @cached_property
    def is_whole(self) -> bool:  # asked for at every draw, so it is remembered
        return all(float(number).is_integer() for number in (self.q, self.min_value, self.max_value))

    def multiple(self, count: int) -> Number:
        if self.is_whole:
            return between(int(self.min_value), count * int(self.q), int(self.max_value))
        return float(between(self.min_value, float(count * Decimal(repr(self.q))), self.max_value))

    def snap(self, x: float) -> Number:
        return self.multiple(between(self._first, round(x / self.q), self._last))

    def contains(self, value: object) -> bool:
        return is_number(value) and self.min_value <= value <= self.max_value and self.is_result(value)

    @property
    def size(self) -> int:
        return self._last - self._first + 1

    def nth(self, index: int) -> Number:
        return self.multiple(self._first + index)

    def index_of(self, value: Number) -> int:
        return between(self._first, round(value / self.q), self._last) - self._first

    @cached_property
    def _first(self) -> int:
        return math.floor(_exact(self.min_value) / _exact(self.q) + _HALF)

    @cached_property
    def _last(self) -> int:
        return max(self._first, math.ceil(_exact(self.max_value) / _exact(self.q) - _HALF))


def _exact(x: float) -> Fraction:
    """The number as a person wrote it: 0.15 is 15/100, so that half of 0.1 more than 0.1 is recognised as such."""
    return Fraction(repr(x))


@dataclass(frozen=True)
class QUniform(BoundedSteps):
    """round(U / q) * q for U uniform between the bounds, kept within the bounds."""

    kind: ClassVar[str] = "quniform"
    min_value: float
    max_value: float
    q: float

    def __post_init__(self) -> None:
        make_numbers(self)
        check_range(self.kind, self.min_value, self.max_value)
        check_q(self.q, self.kind, self.min_value, self.max_value)

    def quantile(self, u: float) -> Number:
        return self.snap(between(self.min_value, mix(self.min_value, self.max_value, u), self.max_value))

    def share_below(self, value: Number) -> float:
        return share_between(self.min_value, value, self.max_value)


@dataclass(frozen=True)
class QLogUniform(BoundedSteps):
    """round(V / q) * q for V log-uniform between the bounds, kept within the bounds.

    The bounds are the VALUES themselves, not their exponents as in Azure ML.
    """

    kind: ClassVar[str] = "qloguniform"
    min_value: float
    max_value: float
    q: float

    def __post_init__(self) -> None:
        make_numbers(self)
        check_log_range(self.kind, self.min_value, self.max_value)
        check_q(self.q, self.kind, self.min_value, self.max_value)

    def quantile(self, u: float) -> Number:
        value = math.exp(mix(math.log(self.min_value), math.log(self.max_value), u))
        return self.snap(between(self.min_value, value, self.max_value))

    def share_below(self, value: Number) -> float:
        return share_between(math.log(self.min_value), math.log(value), math.log(self.max_value))
