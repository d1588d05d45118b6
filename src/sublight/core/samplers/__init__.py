"""The samplers: each proposes the next point from what is recorded. The contract stands in ``base``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sublight.core.errors import InvalidInput
from sublight.core.samplers.base import Observation, Sampler, Suggestion
from sublight.core.samplers.bayesian import Bayesian
from sublight.core.samplers.grid import Grid
from sublight.core.samplers.random import Random
from sublight.core.samplers.sobol import Sobol

__all__ = [
    "Random",
    "Grid",
    "Sobol",
    "Bayesian",
    "Sampler",
    "Observation",
    "Suggestion",
    "sampler_from_json",
    "sampler_to_json",
]

_TYPES: Mapping[str, type[Any]] = {"random": Random, "grid": Grid, "sobol": Sobol, "bayesian": Bayesian}


def sampler_to_json(sampler: Sampler) -> dict[str, object]:
    """Plain data from which ``sampler_from_json`` makes an equal sampler."""
    return dict(sampler.to_json())


def sampler_from_json(declared: Mapping[str, object]) -> Sampler:
    """The sampler declared as ``{"type": "bayesian", "seed": 7, ...}``; what is left out has its default."""
    kind = declared.get("type")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise InvalidInput(f"the type of a sampler must be one of {', '.join(_TYPES)}, got {kind!r}")
    arguments = {key: value for key, value in declared.items() if key != "type"}
    expected = [field.name for field in fields(_TYPES[kind])]
    unknown = [key for key in arguments if key not in expected]
    if unknown:
        raise InvalidInput(
            f"the {kind} sampler takes {', '.join(expected) or 'no arguments'}, got {', '.join(map(str, unknown))}"
        )
    sampler: Sampler = _TYPES[kind](**arguments)
    return sampler
