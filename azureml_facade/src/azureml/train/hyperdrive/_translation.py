"""From v1's spaces, samplers and policies to Sublight's, and the warnings that v1 owed its users."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from azureml.train.hyperdrive.exceptions import HyperDriveConfigException
from azureml.train.hyperdrive.policy import (
    BanditPolicy,
    EarlyTerminationPolicy,
    MedianStoppingPolicy,
    TruncationSelectionPolicy,
)
from azureml.train.hyperdrive.sampling import (
    BayesianParameterSampling,
    GridParameterSampling,
    HyperParameterSampling,
    RandomParameterSampling,
)

_EXPRESSIONS = frozenset(
    {
        "choice",
        "randint",
        "uniform",
        "quniform",
        "loguniform",
        "qloguniform",
        "normal",
        "qnormal",
        "lognormal",
        "qlognormal",
    }
)
# The largest exponent of e that a float can hold.
_EXPONENT_MAX = 709.0
_SUSPICIOUS_EXPONENT = 20.0


def space_of(sampling: HyperParameterSampling) -> dict[str, Any]:
    """The search space in Sublight's distributions, in the order in which the arguments of a trial follow.

    Random sampling gave its arguments in alphabetical order, Bayesian and grid sampling as declared (usage table §3).
    """
    declared = dict(sampling._parameter_space)
    if not declared:
        raise HyperDriveConfigException("the parameter space is empty; name at least one hyperparameter")
    names = sorted(declared) if isinstance(sampling, RandomParameterSampling) else list(declared)
    return {name: _distribution(name, declared[name]) for name in names}


def sampler_of(sampling: HyperParameterSampling) -> Any:
    """Sublight's sampler; a ``seed`` among the properties makes it repeatable, ``rule: sobol`` takes Sobol points."""
    import sublight

    properties = sampling._properties or {}
    seed = {"seed": properties["seed"]} if "seed" in properties else {}
    if isinstance(sampling, GridParameterSampling):
        return sublight.Grid()
    if isinstance(sampling, BayesianParameterSampling):
        return sublight.Bayesian(**seed)
    if isinstance(sampling, RandomParameterSampling):
        return sublight.Sobol(**seed) if properties.get("rule") == "sobol" else sublight.Random(**seed)
    raise HyperDriveConfigException(
        f"hyperparameter_sampling must be RandomParameterSampling, GridParameterSampling or BayesianParameterSampling, "
        f"got {type(sampling).__name__}"
    )


def policy_of(policy: EarlyTerminationPolicy) -> Any:
    """Sublight's policy. Intervals below 1 and delays below 0, which v1 let pass, mean 1 and 0."""
    import sublight

    if isinstance(policy, (BanditPolicy, MedianStoppingPolicy, TruncationSelectionPolicy)):
        rhythm = {
            "evaluation_interval": max(policy.evaluation_interval, 1),
            "delay_evaluation": max(policy.delay_evaluation, 0),
        }
        if isinstance(policy, MedianStoppingPolicy):
            return sublight.MedianStopping(**rhythm)
        if isinstance(policy, TruncationSelectionPolicy):
            return sublight.TruncationSelection(policy.truncation_percentage, **rhythm)
        if policy._slack_factor:
            return sublight.Bandit(slack_factor=policy._slack_factor, **rhythm)
        if policy._slack_amount:
            return sublight.Bandit(slack_amount=policy._slack_amount, **rhythm)
        # A slack of exactly 0: whatever is worse than the best ends. The least slack that there is says the same.
        return sublight.Bandit(slack_amount=math.ulp(0.0), **rhythm)
    return sublight.NoTermination()


def suspicions(sampling: HyperParameterSampling) -> Iterator[str]:
    """Sentences on what was probably meant otherwise."""
    for name, expression in sampling._parameter_space.items():
        kind, arguments = _parts(expression)
        if kind not in ("loguniform", "qloguniform"):
            continue
        low, high = arguments[0], arguments[1]
        # Between e^0 and e^1 nobody searches by orders of magnitude; such bounds were meant as values.
        looks_like_values = low > 0 and high <= 1
        if high > _SUSPICIOUS_EXPONENT:
            yield (
                f"{kind} of {name!r} goes up to e^{high:g} = {math.exp(min(high, _EXPONENT_MAX)):.3g}: its bounds are "
                "exponents of e; for values up to the bound itself take its natural logarithm"
            )
        elif looks_like_values:
            yield (
                f"{kind} of {name!r} has the bounds {low:g} and {high:g}, which look like values, but they are exponents "
                f"of e: the values lie between {math.exp(low):.4g} and {math.exp(high):.4g}; for values between the "
                f"bounds write {kind}(math.log({low:g}), math.log({high:g}))"
            )


def without_point_nought(value: Any) -> Any:
    """A value as the original printed it: ``1.0`` became ``1``, arrays and lists their text, NumPy scalars plain."""
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, Mapping):
        return {str(key): _nested(key, inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return json.dumps(list(value)) if _is_plain(value) else str(list(value))
    return value


def as_declared(value: Any, expression: Any) -> Any:
    """A drawn value in the type that v1 kept: the option that was declared, and a float where a distribution is real."""
    kind, arguments = _parts(expression)
    if kind == "choice":
        same = (
            option for option in arguments[0] if option == value and isinstance(option, bool) == isinstance(value, bool)
        )
        return next(same, value)
    if kind in (None, "randint") or isinstance(value, bool) or not isinstance(value, int):
        return value
    return float(value)


def _nested(name: object, value: Any) -> Any:
    kind, _ = _parts(value)
    return _distribution(str(name), value) if kind is not None else without_point_nought(value)


def _is_plain(value: Any) -> bool:
    return all(item is None or isinstance(item, (str, int, float, bool)) for item in value)


def _parts(expression: Any) -> tuple[str | None, list[Any]]:
    """The name and the arguments of an expression; None for what is none."""
    if (
        isinstance(expression, (list, tuple))
        and len(expression) == 2
        and expression[0] in _EXPRESSIONS
        and isinstance(expression[1], (list, tuple))
    ):
        return str(expression[0]), list(expression[1])
    return None, []


def _distribution(name: str, expression: Any) -> Any:
    import sublight
    from sublight import SublightError

    kind, arguments = _parts(expression)
    if kind is None:
        # Bare lists passed the client of v1; a single value is a constant.
        options = expression if isinstance(expression, (list, range)) else [expression]
        kind, arguments = "choice", [list(options)]
    try:
        if kind == "choice":
            options = [without_point_nought(option) for option in arguments[0]]
            return sublight.choice(*_without_repetition(options))
        if kind in ("loguniform", "qloguniform"):
            return _of_exponents(name, kind, arguments)
        if kind == "randint":
            return sublight.randint(int(arguments[0]))
        return getattr(sublight, kind)(*(without_point_nought(argument) for argument in arguments))
    except SublightError as error:
        raise HyperDriveConfigException(f"hyperparameter {name!r}: {error}") from None


def _of_exponents(name: str, kind: str, arguments: list[Any]) -> Any:
    import sublight

    low, high = float(arguments[0]), float(arguments[1])
    if high > _EXPONENT_MAX:
        raise HyperDriveConfigException(
            f"hyperparameter {name!r}: the bounds of {kind} are exponents of e, and e^{high:g} is beyond every number; "
            f"for values up to {high:g} write {kind}(…, math.log({high:g}))"
        )
    if kind == "qloguniform":
        q = without_point_nought(arguments[2])
        if low == high:
            return sublight.choice(without_point_nought(round(math.exp(low) / q) * q))
        return sublight.qloguniform(math.exp(low), math.exp(high), q)
    if low == high:
        return sublight.choice(math.exp(low))
    return sublight.loguniform(math.exp(low), math.exp(high))


def _without_repetition(options: list[Any]) -> list[Any]:
    seen: list[tuple[type, Any]] = []
    kept = []
    for option in options:
        if (type(option), option) not in seen:
            seen.append((type(option), option))
            kept.append(option)
    return kept
