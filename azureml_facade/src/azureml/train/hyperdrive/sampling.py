"""The samplers as v1 declared them, with the checks of its client (fact sheet §2)."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Mapping
from typing import Any

from azureml.train.hyperdrive.exceptions import HyperDriveConfigException

_STEPS_MAX = 100_000


class HyperParameterSampling(ABC):  # noqa: B024  # abstract in name only, as it was
    """A sampler: its name on the wire, the space, and free properties (``{"seed": 7}`` makes random draws repeatable)."""

    def __init__(
        self,
        sampling_method_name: str,
        parameter_space: Mapping[str, Any],
        properties: Mapping[str, Any] | None = None,
        supported_distributions: Any = None,
        distributions_validators: Mapping[str, Callable[..., None]] | None = None,
    ) -> None:
        self._sampling_method_name = sampling_method_name
        self._parameter_space = parameter_space
        self._properties = properties
        self._supported_distributions = supported_distributions
        if supported_distributions is not None:
            for name, expression in parameter_space.items():
                _check_supported(name, expression, supported_distributions)
        for name, expression in parameter_space.items() if distributions_validators else ():
            validate = (distributions_validators or {}).get(expression[0])
            if validate is not None:
                validate(name, *expression[1])

    def to_json(self) -> dict[str, Any]:
        """The sampler as a dict: name, parameter_space and, when there are any, properties."""
        document: dict[str, Any] = {"name": self._sampling_method_name, "parameter_space": dict(self._parameter_space)}
        if self._properties:
            document["properties"] = self._properties
        return document

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HyperParameterSampling) and self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]


class RandomParameterSampling(HyperParameterSampling):
    """Independent random points, without repetition where the space is finite."""

    SAMPLING_METHOD_NAME = "RANDOM"

    def __init__(self, parameter_space: Mapping[str, Any], properties: Mapping[str, Any] | None = None) -> None:
        super().__init__(self.SAMPLING_METHOD_NAME, parameter_space, properties)


class GridParameterSampling(HyperParameterSampling):
    """Every combination of choices, the last name changing fastest."""

    SAMPLING_METHOD_NAME = "GRID"

    def __init__(self, parameter_space: Mapping[str, Any], properties: Mapping[str, Any] | None = None) -> None:
        super().__init__(self.SAMPLING_METHOD_NAME, parameter_space, properties, ["choice"])


class BayesianParameterSampling(HyperParameterSampling):
    """Points chosen by what earlier ones have shown; takes choice, uniform and quniform."""

    SAMPLING_METHOD_NAME = "BayesianOptimization"

    def __init__(self, parameter_space: Mapping[str, Any], properties: Mapping[str, Any] | None = None) -> None:
        if parameter_space is None:
            raise HyperDriveConfigException("Bayesian sampling needs a parameter space, got None")
        super().__init__(
            self.SAMPLING_METHOD_NAME,
            parameter_space,
            properties,
            ["choice", "quniform", "uniform"],
            {"choice": _check_choice, "quniform": _check_quniform},
        )


def _check_supported(name: str, expression: Any, supported: Any) -> None:
    kind = expression[0] if isinstance(expression, (list, tuple)) and expression else expression
    if kind not in supported:
        raise HyperDriveConfigException(
            f"this sampler takes {', '.join(supported)} only, but {name!r} is {kind!r}; use RandomParameterSampling"
        )


def _check_choice(name: str, options: list[Any]) -> None:
    wrong = [option for option in options if type(option) not in (int, float, str)]
    if wrong:
        raise HyperDriveConfigException(
            f"with Bayesian sampling the options of {name!r} must be numbers or texts, got {wrong[0]!r}"
        )
    texts = [option for option in options if isinstance(option, str)]
    if texts and len(texts) != len(options):
        raise HyperDriveConfigException(
            f"with Bayesian sampling the options of {name!r} must be all numbers or all texts, got {options!r}"
        )


def _check_quniform(name: str, low: Any, high: Any, q: Any) -> None:
    if not all(type(value) is int for value in (low, high, q)):
        raise HyperDriveConfigException(
            f"with Bayesian sampling quniform of {name!r} takes whole numbers only, got {[low, high, q]!r}"
        )
    if q != 0 and (high - low) / q > _STEPS_MAX:
        raise HyperDriveConfigException(
            f"quniform of {name!r} has more than {_STEPS_MAX:,} steps; use a larger q or uniform"
        )
