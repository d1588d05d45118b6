"""The model behind the Bayesian sampler: an Optuna study, built from the record anew for each proposal.

Optuna sees every distribution as one of three coordinates: a choice as a category, whole numbers and evenly spaced
steps as an integer, everything else as the u in 0..1 of its quantile. So a logarithmic or normal distribution looks
uniform to the model, which is what it is meant to say.
"""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeGuard

import optuna

from sublight.core.metric import Direction
from sublight.core.search_space import Choice, Distribution, Point, QUniform, RandInt, SearchSpace, Value
from sublight.core.search_space.values import between

# Optuna announces studies on standard error, and calls conditional spaces experimental; neither is for our users.
optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)

# Optuna wants times with its trials; nothing depends on them.
_SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)


class Model:
    """A study that holds the ``results`` and the ``pending`` trials, each a point's answers by path."""

    def __init__(
        self,
        space: SearchSpace,
        direction: Direction,
        method: str,
        seed: int,
        *,
        results: Sequence[tuple[Mapping[str, Value], float]],
        pending: Sequence[Mapping[str, Value]],
    ) -> None:
        self._space = space
        self._slots = {
            path: (distribution, _optuna_distribution(distribution))
            for path, distribution in space.slots
            if not _is_fixed(distribution)
        }
        self._study = optuna.create_study(direction=direction.value, sampler=_sampler(space, method, seed))
        values = _finite([value for _, value in results])
        for (answers, _), value in zip(results, values, strict=True):
            self._add(answers, state=optuna.trial.TrialState.COMPLETE, value=value)
        for answers in pending:
            self._add(answers, state=optuna.trial.TrialState.RUNNING)

    def propose(self) -> Point:
        """The next point. It stays in the study as pending, so that the next proposal goes elsewhere."""
        trial = self._study.ask()
        return self._space.build(lambda path, distribution: _ask(trial, path, distribution))

    def _add(self, answers: Mapping[str, Value], **outcome: Any) -> None:
        free = [path for path in answers if path in self._slots]
        trial = _Trial(
            params={path: _coordinate(self._slots[path][0], answers[path]) for path in free},
            distributions={path: self._slots[path][1] for path in free},
            **outcome,
        )
        self._study.add_trial(trial)


class _Trial(optuna.trial.FrozenTrial):
    """A recorded trial. Optuna copies each in depth when it is added; that would be half the cost of a proposal."""

    def __init__(
        self, *, state: Any, params: dict[str, Any], distributions: dict[str, Any], value: float | None = None
    ):
        super().__init__(
            number=-1,
            trial_id=-1,
            state=state,
            value=value,
            params=params,
            distributions=distributions,
            datetime_start=_SOME_TIME,
            datetime_complete=_SOME_TIME if state.is_finished() else None,
            user_attrs={},
            system_attrs={},
            intermediate_values={},
        )

    def __deepcopy__(self, memo: object) -> _Trial:
        return copy.copy(self)


def _sampler(space: SearchSpace, method: str, seed: int) -> Any:
    if method == "gp":
        return optuna.samplers.GPSampler(seed=seed, n_startup_trials=1, warn_independent_sampling=False)
    is_conditional = any(isinstance(choice, Choice) and any(choice.spaces()) for _, choice in space.parameters)
    return optuna.samplers.TPESampler(
        seed=seed, n_startup_trials=1, multivariate=True, group=is_conditional, constant_liar=True
    )


def _is_fixed(distribution: Distribution) -> bool:
    """True when there is nothing to propose."""
    return len(distribution.options) == 1 if isinstance(distribution, Choice) else distribution.size == 1


def _is_counted(distribution: Distribution) -> TypeGuard[RandInt | QUniform]:
    """True for values that lie evenly spaced, so that their number is as good a coordinate as the value."""
    return isinstance(distribution, (RandInt, QUniform))


def _optuna_distribution(distribution: Distribution) -> Any:
    if isinstance(distribution, Choice):
        return optuna.distributions.CategoricalDistribution(range(len(distribution.options)))
    if _is_counted(distribution):
        return optuna.distributions.IntDistribution(0, distribution.size - 1)
    return optuna.distributions.FloatDistribution(0.0, 1.0)


def _coordinate(distribution: Distribution, answer: Value) -> float | int:
    assert isinstance(answer, (int, float)), "a choice is answered by an index, everything else by a number"
    if isinstance(distribution, Choice):
        return answer
    return distribution.index_of(answer) if _is_counted(distribution) else distribution.share_below(answer)


def _ask(trial: optuna.Trial, path: str, distribution: Distribution) -> Value:
    if isinstance(distribution, Choice):
        if _is_fixed(distribution):
            return 0
        return int(trial.suggest_categorical(path, range(len(distribution.options))))
    if _is_fixed(distribution):
        return distribution.nth(0)
    if _is_counted(distribution):
        return distribution.nth(trial.suggest_int(path, 0, distribution.size - 1))
    return distribution.quantile(trial.suggest_float(path, 0.0, 1.0))


def _finite(values: Sequence[float]) -> list[float]:
    """The values with infinities brought to the nearest finite result: a model cannot reckon with infinity."""
    finite = [value for value in values if math.isfinite(value)] or [0.0]
    least, greatest = min(finite), max(finite)
    return [between(least, value, greatest) for value in values]
