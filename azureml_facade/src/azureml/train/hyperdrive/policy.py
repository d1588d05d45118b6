"""The early-termination policies as v1 declared them (fact sheet §3)."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from typing import Any

from azureml.train.hyperdrive.exceptions import HyperDriveConfigException


class EarlyTerminationPolicy(ABC):  # noqa: B024  # abstract in name only, as it was
    """A policy: its name on the wire and its properties."""

    def __init__(self, name: str, properties: Mapping[str, Any] | None = None) -> None:
        self._name = name
        self._properties = dict(properties or {})

    def to_json(self) -> dict[str, Any]:
        """The policy as a dict: name and, when there are any, properties."""
        document: dict[str, Any] = {"name": self._name}
        if self._properties:
            document["properties"] = dict(self._properties)
        return document

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EarlyTerminationPolicy) and self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]


class _WithIntervals(EarlyTerminationPolicy):
    def __init__(self, name: str, evaluation_interval: int, delay_evaluation: int, **properties: Any) -> None:
        for parameter, value in (("evaluation_interval", evaluation_interval), ("delay_evaluation", delay_evaluation)):
            if not isinstance(value, int):
                raise HyperDriveConfigException(f"{parameter} must be a whole number, got {value!r}")
        super().__init__(
            name, {"evaluation_interval": evaluation_interval, "delay_evaluation": delay_evaluation, **properties}
        )

    @property
    def evaluation_interval(self) -> int:
        """After how many reports the policy looks again."""
        value: int = self._properties["evaluation_interval"]
        return value

    @property
    def delay_evaluation(self) -> int:
        """How many reports a run has in any case."""
        value: int = self._properties["delay_evaluation"]
        return value


class BanditPolicy(_WithIntervals):
    """Ends runs that lie outside a slack of the best: exactly one of the two slacks is given."""

    POLICY_NAME = "Bandit"

    def __init__(
        self,
        evaluation_interval: int = 1,
        slack_factor: float | None = None,
        slack_amount: float | None = None,
        delay_evaluation: int = 0,
    ) -> None:
        if slack_factor is None and slack_amount is None:
            raise HyperDriveConfigException("BanditPolicy needs slack_factor or slack_amount, got neither")
        if slack_factor and slack_amount:
            raise HyperDriveConfigException("BanditPolicy takes one of slack_factor and slack_amount, got both")
        for name, slack in (("slack_factor", slack_factor), ("slack_amount", slack_amount)):
            if slack is not None and (isinstance(slack, bool) or not isinstance(slack, (int, float))):
                raise HyperDriveConfigException(f"{name} must be a number, got {slack!r}")
        # By truth, as the original chose: a factor of 0 beside an amount is no factor.
        given = {"slack_factor": slack_factor} if slack_factor else {"slack_amount": slack_amount}
        super().__init__(self.POLICY_NAME, evaluation_interval, delay_evaluation, **given)
        self._slack_factor = slack_factor
        self._slack_amount = slack_amount

    @property
    def slack_factor(self) -> float | None:
        """The slack as a share of the best; None when an amount was given."""
        return self._slack_factor


class MedianStoppingPolicy(_WithIntervals):
    """Ends runs whose best lies below the median of the running averages."""

    POLICY_NAME = "MedianStopping"

    def __init__(self, evaluation_interval: int = 1, delay_evaluation: int = 0) -> None:
        super().__init__(self.POLICY_NAME, evaluation_interval, delay_evaluation)


class TruncationSelectionPolicy(_WithIntervals):
    """Ends a percentage of the lowest-ranked runs at each evaluation."""

    POLICY_NAME = "TruncationSelection"

    def __init__(
        self,
        truncation_percentage: int,
        evaluation_interval: int = 1,
        delay_evaluation: int = 0,
        exclude_finished_jobs: bool = False,
    ) -> None:
        if not isinstance(truncation_percentage, int) or not 1 <= truncation_percentage <= 99:
            raise HyperDriveConfigException(
                f"truncation_percentage must be a whole number from 1 to 99, got {truncation_percentage!r}"
            )
        super().__init__(
            self.POLICY_NAME,
            evaluation_interval,
            delay_evaluation,
            truncation_percentage=truncation_percentage,
            exclude_finished_jobs=exclude_finished_jobs,
        )

    @property
    def truncation_percentage(self) -> int:
        """The percentage of runs that end at each evaluation."""
        value: int = self._properties["truncation_percentage"]
        return value


class NoTerminationPolicy(EarlyTerminationPolicy):
    """Every run goes on to its end."""

    POLICY_NAME = "Default"

    def __init__(self) -> None:
        super().__init__(self.POLICY_NAME)
