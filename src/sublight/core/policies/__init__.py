"""The early-termination policies: each decides whether a running trial should end. The contract stands in ``base``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sublight.core.errors import InvalidInput
from sublight.core.policies.bandit import Bandit
from sublight.core.policies.base import Policy, StopDecision, TrialReports
from sublight.core.policies.median_stopping import MedianStopping
from sublight.core.policies.no_termination import NoTermination
from sublight.core.policies.truncation_selection import TruncationSelection

__all__ = [
    "Bandit",
    "MedianStopping",
    "TruncationSelection",
    "NoTermination",
    "Policy",
    "TrialReports",
    "StopDecision",
    "policy_from_json",
    "policy_to_json",
]

_TYPES: Mapping[str, type[Any]] = {
    "bandit": Bandit,
    "median_stopping": MedianStopping,
    "truncation_selection": TruncationSelection,
    "no_termination": NoTermination,
}


def policy_to_json(policy: Policy) -> dict[str, object]:
    """Plain data from which ``policy_from_json`` makes an equal policy."""
    return dict(policy.to_json())


def policy_from_json(declared: Mapping[str, object]) -> Policy:
    """The policy declared as ``{"type": "bandit", "slack_factor": 0.1, ...}``; what is left out has its default."""
    kind = declared.get("type")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise InvalidInput(f"the type of an early-termination policy must be one of {', '.join(_TYPES)}, got {kind!r}")
    arguments = {key: value for key, value in declared.items() if key != "type"}
    expected = [field.name for field in fields(_TYPES[kind])]
    unknown = [key for key in arguments if key not in expected]
    if unknown:
        raise InvalidInput(
            f"the {kind} policy takes {', '.join(expected) or 'no arguments'}, got {', '.join(map(str, unknown))}"
        )
    if kind == "truncation_selection" and "truncation_percentage" not in arguments:
        raise InvalidInput("the truncation_selection policy needs a truncation_percentage from 1 to 99, got none")
    policy: Policy = _TYPES[kind](**arguments)
    return policy
