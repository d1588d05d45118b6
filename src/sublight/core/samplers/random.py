"""Random search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sublight.core.metric import Goal
from sublight.core.samplers.base import Observation, Suggestion
from sublight.core.samplers.streams import check_seed, draw_seed, random_draw, random_points, text_of
from sublight.core.search_space import SearchSpace


@dataclass(frozen=True, slots=True)
class Random:
    """Points drawn at random, each distribution independently; works on every search space.

    On a space with finitely many points no point comes twice, and the sweep ends by itself when all were tried. The
    points follow from ``seed`` and the trial's index alone; without a given seed, one is drawn and recorded. Trials of
    earlier sweeps do not change them.
    """

    seed: int = field(default_factory=draw_seed)

    def __post_init__(self) -> None:
        check_seed(self.seed)

    def check(self, space: SearchSpace) -> None:
        """Every space will do."""

    def suggest(
        self,
        space: SearchSpace,
        history: Sequence[Observation],  # noqa: ARG002  # random search does not learn
        *,
        index: int,
        goal: Goal,  # noqa: ARG002
    ) -> Suggestion | None:
        if space.size is None:
            point = random_draw(space, self.seed, index)
        else:
            distinct = random_points(text_of(space), self.seed).nth(index)
            if distinct is None:
                return None
            point = distinct
        return Suggestion(point, f"random draw {index + 1}")

    def to_json(self) -> dict[str, object]:
        return {"type": "random", "seed": self.seed}
