"""The four distributions behind which stands a normal number x of mean ``mu`` and standard deviation ``sigma``."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from statistics import NormalDist
from typing import ClassVar

from sublight.core.search_space.numeric import Numeric, Steps
from sublight.core.search_space.values import (
    SIGMAS_MAX,
    Number,
    between,
    check_exponent,
    check_q,
    check_sigma,
    is_number,
    make_numbers,
)

_STANDARD_NORMAL = NormalDist()
# The u nearest to 0 (and to 1) that is evaluated; it lies 8.2 sigma from the mean, so every draw is finite.
_LEAST_U = 2.0**-53


class Gaussian(Numeric):
    """What the four share: a hidden normal x, and how a value and its x are turned into each other."""

    __slots__ = ()
    mu: float
    sigma: float

    @abstractmethod
    def from_normal(self, x: float) -> Number:
        """The value that the hidden normal ``x`` stands for."""

    @abstractmethod
    def to_normal(self, value: Number) -> float:
        """An ``x`` that gives ``value``."""

    @property
    def size(self) -> int | None:
        return 1 if self.sigma == 0 else None

    def quantile(self, u: float) -> Number:
        z = _STANDARD_NORMAL.inv_cdf(between(_LEAST_U, u, 1 - _LEAST_U))
        return self.from_normal(self.mu + self.sigma * z)

    def share_below(self, value: Number) -> float:
        """The u, strictly between 0 and 1, whose quantile is about ``value``; 0.5 when sigma is 0."""
        if self.sigma == 0:
            return 0.5
        share = _STANDARD_NORMAL.cdf((self.to_normal(value) - self.mu) / self.sigma)
        return between(_LEAST_U, share, 1 - _LEAST_U)


@dataclass(frozen=True, slots=True)
class Normal(Gaussian):
    """A normal number of mean ``mu`` and standard deviation ``sigma``; unbounded."""

    kind: ClassVar[str] = "normal"
    mu: float
    sigma: float

    def __post_init__(self) -> None:
        make_numbers(self)
        check_sigma(self.kind, self.mu, self.sigma)

    def from_normal(self, x: float) -> float:
        return float(x)

    def to_normal(self, value: Number) -> float:
        return value

    def contains(self, value: object) -> bool:
        return is_number(value) and (self.sigma > 0 or value == self.mu)


@dataclass(frozen=True, slots=True)
class LogNormal(Gaussian):
    """exp(x) for x normal with ``mu`` and ``sigma``; positive."""

    kind: ClassVar[str] = "lognormal"
    mu: float
    sigma: float

    def __post_init__(self) -> None:
        make_numbers(self)
        check_sigma(self.kind, self.mu, self.sigma)
        check_exponent(self.kind, self.mu, self.sigma)

    def from_normal(self, x: float) -> float:
        return math.exp(x)

    def to_normal(self, value: Number) -> float:
        return math.log(value)

    def contains(self, value: object) -> bool:
        return is_number(value) and value > 0 and (self.sigma > 0 or value == self.nth(0))


@dataclass(frozen=True, slots=True)
class QNormal(Gaussian, Steps):
    """round(x / q) * q for x normal with ``mu`` and ``sigma``; unbounded."""

    kind: ClassVar[str] = "qnormal"
    mu: float
    sigma: float
    q: float

    def __post_init__(self) -> None:
        make_numbers(self)
        check_sigma(self.kind, self.mu, self.sigma)
        check_q(self.q, self.kind, abs(self.mu) + SIGMAS_MAX * self.sigma)

    def from_normal(self, x: float) -> Number:
        return self.snap(x)

    def to_normal(self, value: Number) -> float:
        return value

    def contains(self, value: object) -> bool:
        return self.is_result(value) and (self.sigma > 0 or value == self.nth(0))


@dataclass(frozen=True, slots=True)
class QLogNormal(Gaussian, Steps):
    """round(exp(x) / q) * q for x normal with ``mu`` and ``sigma``; 0 or more."""

    kind: ClassVar[str] = "qlognormal"
    mu: float
    sigma: float
    q: float

    def __post_init__(self) -> None:
        make_numbers(self)
        check_sigma(self.kind, self.mu, self.sigma)
        check_exponent(self.kind, self.mu, self.sigma)
        check_q(self.q, self.kind, math.exp(self.mu + SIGMAS_MAX * self.sigma))

    def from_normal(self, x: float) -> Number:
        return self.snap(math.exp(x))

    def to_normal(self, value: Number) -> float:
        # A result of 0 stands for everything below q / 2; the middle of that range keeps the logarithm finite.
        return math.log(max(value, self.q / 4))

    def contains(self, value: object) -> bool:
        if not self.is_result(value) or not is_number(value) or value < 0:
            return False
        return self.sigma > 0 or value == self.nth(0)
