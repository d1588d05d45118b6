"""Grid search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sublight.core.errors import InvalidInput
from sublight.core.metric import Goal
from sublight.core.samplers.base import Observation, Suggestion
from sublight.core.search_space import SearchSpace


@dataclass(frozen=True, slots=True)
class Grid:
    """Every point of the space once, in declared order, the last parameter changing fastest.

    It needs finitely many points: ``choice``, ``randint``, ``quniform`` and ``qloguniform``. There is nothing random in
    it, so it takes no seed.
    """

    @property
    def seed(self) -> int:
        """Always 0: a grid is the same for everyone."""
        return 0

    def check(self, space: SearchSpace) -> None:
        for path, distribution in space.slots:
            if distribution.size is None and distribution.kind != "choice":
                raise InvalidInput(
                    f"the grid sampler needs finitely many values, but {path.split()[-1]!r} is a {distribution.kind}; "
                    "use choice or quniform for it, or another sampler"
                )

    def suggest(
        self,
        space: SearchSpace,
        history: Sequence[Observation],  # noqa: ARG002  # a grid does not learn
        *,
        index: int,
        goal: Goal,  # noqa: ARG002
    ) -> Suggestion | None:
        self.check(space)
        assert space.size is not None, "check has refused every distribution with infinitely many values"
        if index >= space.size:
            return None
        return Suggestion(space.nth(index), f"grid point {index + 1} of {space.size}")

    def to_json(self) -> dict[str, object]:
        return {"type": "grid"}
