"""Search spaces: the ten distributions, choices that bring their own parameters, and the points they can give."""

from sublight.core.search_space.normal import Gaussian, LogNormal, Normal, QLogNormal, QNormal
from sublight.core.search_space.numeric import LogUniform, Numeric, QLogUniform, QUniform, RandInt, Uniform
from sublight.core.search_space.space import Choice, Distribution, SearchSpace, choice_of
from sublight.core.search_space.values import Point, Value

__all__ = [
    "SearchSpace",
    "Point",
    "Value",
    "Distribution",
    "Choice",
    "choice_of",
    "RandInt",
    "Uniform",
    "QUniform",
    "LogUniform",
    "QLogUniform",
    "Normal",
    "QNormal",
    "LogNormal",
    "QLogNormal",
    "Numeric",
    "Gaussian",
]
