"""A sweep: a script, the space to search, how to search it, and when to stop."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sublight.core.arguments import check_all_used, option_name
from sublight.core.errors import InvalidInput
from sublight.core.metric import Goal
from sublight.core.policies import NoTermination, policy_from_json
from sublight.core.policies.base import Policy
from sublight.core.samplers import Random, sampler_from_json
from sublight.core.samplers.base import Sampler
from sublight.core.search_space import SearchSpace
from sublight.messages.definitions import SweepDefinition
from sublight.sdk.script import Script

if TYPE_CHECKING:
    from sublight.sdk.run import Run


class Sweep:
    """A search over ``space`` for the best value of a metric; everything is checked when it is made.

    ``space`` maps a parameter's name to its distribution (``uniform(0, 1)``, ``choice(1, 2)``, …; a list is a choice).
    Each trial runs ``script`` with one point of it, as ``--name value`` after the script's own arguments, in the order
    in which the names stand here. ``goal`` is ``maximize("accuracy")`` or ``minimize("loss")``.

    The sweep ends after ``max_trials`` trials or ``max_minutes``, or when a finite space is used up. At most
    ``max_concurrent`` trials run at once (None: as many as the target takes); ``trials_per_node`` of them may share a
    node (None: as the cluster says). Without a ``sampler`` points are random; without a ``policy`` every trial runs to
    its end. ``resume_from`` names earlier sweeps (runs or ids) whose trials count as known from the start.

    A sweep whose first trials end without reporting the metric gives up, because no later one could be better; with
    ``gives_up_when_silent=False`` it goes on, and an event says so.
    """

    def __init__(
        self,
        script: Script,
        *,
        space: Mapping[str, object],
        goal: Goal,
        max_trials: int,
        sampler: Sampler | None = None,
        policy: Policy | None = None,
        max_concurrent: int | None = None,
        max_minutes: float | None = None,
        trials_per_node: int | None = None,
        resume_from: Run | str | Iterable[Run | str] = (),
        gives_up_when_silent: bool = True,
    ) -> None:
        self.script = _checked_script(script)
        self.space = SearchSpace.from_json(space)
        self.goal = _checked_goal(goal)
        self.sampler = _checked_sampler(sampler)
        self.sampler.check(self.space)
        self.policy = _checked_policy(policy)
        self.max_trials = _whole(max_trials, "max_trials")
        self.max_concurrent = None if max_concurrent is None else _whole(max_concurrent, "max_concurrent")
        self.trials_per_node = None if trials_per_node is None else _whole(trials_per_node, "trials_per_node")
        self.max_minutes = _checked_minutes(max_minutes)
        self.resume_from = _ids(resume_from)
        self.gives_up_when_silent = bool(gives_up_when_silent)
        self.script.check_placeholders(self.space.names)
        if self.script.command is not None:
            check_all_used(self.script.command, self.space.names)
        _warn_of_double_names(self.script, self.space.names)

    def definition(self, snapshot_id: str) -> SweepDefinition:
        """The message form, once the script's source is stored under ``snapshot_id``."""
        return SweepDefinition(
            trial=self.script.definition(snapshot_id),
            space=self.space.to_json(),
            sampler=dict(self.sampler.to_json()),
            policy=dict(self.policy.to_json()),
            metric=self.goal.metric,
            direction=self.goal.direction.value,
            max_trials=self.max_trials,
            max_concurrent=self.max_concurrent,
            max_minutes=self.max_minutes,
            trials_per_node=self.trials_per_node,
            resume_from=list(self.resume_from),
            gives_up_when_silent=self.gives_up_when_silent,
        )

    def __repr__(self) -> str:
        names = ", ".join(self.space.names)
        goal = f"{self.goal.direction.value}({self.goal.metric!r})"
        return f"Sweep({self.script!r}, space over {names}, goal={goal}, max_trials={self.max_trials})"


def _checked_script(script: object) -> Script:
    if not isinstance(script, Script):
        raise InvalidInput(f"a Sweep needs a Script, got {script!r}; write Sweep(Script('train.py'), …)")
    return script


def _checked_goal(goal: object) -> Goal:
    if not isinstance(goal, Goal):
        raise InvalidInput(f"goal must be maximize('metric') or minimize('metric'), got {goal!r}")
    return goal


def _checked_sampler(sampler: Sampler | None) -> Sampler:
    if sampler is None:
        return Random()
    if isinstance(sampler, type) or not hasattr(sampler, "suggest"):
        raise InvalidInput(f"sampler must be Random(), Grid(), Sobol() or Bayesian(), got {sampler!r}")
    sampler_from_json(sampler.to_json())  # the server makes it anew from this form
    return sampler


def _checked_policy(policy: Policy | None) -> Policy:
    if policy is None:
        return NoTermination()
    if isinstance(policy, type) or not hasattr(policy, "decide"):
        raise InvalidInput(
            f"policy must be Bandit(…), MedianStopping(), TruncationSelection(…) or NoTermination(), got {policy!r}"
        )
    policy_from_json(policy.to_json())
    return policy


def _whole(number: object, name: str) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise InvalidInput(f"{name} must be a whole number of 1 or more, got {number!r}")
    return number


def _checked_minutes(minutes: float | None) -> float | None:
    if minutes is None:
        return None
    if isinstance(minutes, bool) or not isinstance(minutes, (int, float)) or not 0 < minutes < math.inf:
        raise InvalidInput(f"max_minutes must be a number of minutes above 0, got {minutes!r}")
    return float(minutes)


def _ids(resume_from: Run | str | Iterable[Run | str]) -> tuple[str, ...]:
    items = resume_from if isinstance(resume_from, Iterable) and not isinstance(resume_from, str) else [resume_from]
    ids = []
    for item in items:
        run_id = item if isinstance(item, str) else getattr(item, "id", None)
        if not isinstance(run_id, str):
            raise InvalidInput(f"resume_from takes sweeps or their ids, got {item!r}")
        ids.append(run_id)
    return tuple(ids)


def _warn_of_double_names(script: Script, names: Iterable[str]) -> None:
    fixed = {argument.partition("=")[0] for argument in script.arguments if argument.startswith("-")}
    for name in names:
        if option_name(name) in fixed:
            warnings.warn(
                f"{option_name(name)} is among the fixed arguments and is tuned, too; the tuned value comes last and "
                "wins in most argument parsers",
                UserWarning,
                stacklevel=3,
            )
