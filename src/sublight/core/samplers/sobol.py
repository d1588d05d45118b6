"""Quasi-random search: points that fill the space more evenly than random ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sublight.core.errors import InvalidInput
from sublight.core.metric import Goal
from sublight.core.samplers.base import Observation, Suggestion
from sublight.core.samplers.streams import DistinctPoints, check_seed, draw_seed, text_of
from sublight.core.search_space import Point, SearchSpace

# As many dimensions have known direction numbers.
_DIMENSIONS_MAX = 21201
_BLOCK = 256
# The sequence is 30 bits long; it starts again (with what is then a repeat) after as many points.
_LENGTH = 2**30


@dataclass(frozen=True, slots=True)
class Sobol:
    """Points of a scrambled Sobol sequence, mapped into the space through each distribution's quantiles.

    The points follow from ``seed`` and the trial's index alone; without a given seed, one is drawn and recorded. On a
    space with finitely many points, repeats are left out and the sweep ends when all were tried. Even coverage is best
    with a power of 2 as the number of trials. Trials of earlier sweeps do not change the points.
    """

    seed: int = field(default_factory=draw_seed)

    def __post_init__(self) -> None:
        check_seed(self.seed)

    def check(self, space: SearchSpace) -> None:
        if len(space.slots) > _DIMENSIONS_MAX:
            raise InvalidInput(
                f"the Sobol sampler takes at most {_DIMENSIONS_MAX} parameters, got {len(space.slots)}; "
                "use the random sampler"
            )

    def suggest(
        self,
        space: SearchSpace,
        history: Sequence[Observation],  # noqa: ARG002  # a sequence does not learn
        *,
        index: int,
        goal: Goal,  # noqa: ARG002
    ) -> Suggestion | None:
        self.check(space)
        if space.size is None:
            point = _draw(space, self.seed, index)
        else:
            distinct = _distinct_points(text_of(space), self.seed).nth(index)
            if distinct is None:
                return None
            point = distinct
        return Suggestion(point, f"Sobol point {index + 1}")

    def to_json(self) -> dict[str, object]:
        return {"type": "sobol", "seed": self.seed}


@lru_cache(maxsize=64)
def _distinct_points(space_text: str, seed: int) -> DistinctPoints:
    space = SearchSpace.from_json(json.loads(space_text))
    return DistinctPoints(space, lambda number: _draw(space, seed, number), seed=seed)


def _draw(space: SearchSpace, seed: int, number: int) -> Point:
    number %= _LENGTH
    row = _block(len(space.slots), seed, number // _BLOCK)[number % _BLOCK]
    return space.at({path: float(u) for (path, _), u in zip(space.slots, row, strict=True)})


@lru_cache(maxsize=64)
def _block(dimensions: int, seed: int, block: int) -> Any:
    """An array of the points from ``block * _BLOCK`` on; made as a whole, because the set-up costs more than a point."""
    import numpy
    from scipy.stats import qmc

    sequence = qmc.Sobol(dimensions, scramble=True, rng=numpy.random.default_rng(seed))
    if block:  # SciPy cannot go forward by 0
        sequence.fast_forward(block * _BLOCK)
    return sequence.random(_BLOCK)
