"""The sections of a job file about searching: the space, the sampling algorithm, early termination, the inputs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sublight.core.arguments import as_text
from sublight.core.errors import InvalidInput, NotSupported
from sublight.core.policies import policy_from_json
from sublight.core.policies.base import Policy
from sublight.core.samplers import sampler_from_json
from sublight.core.samplers.base import Sampler
from sublight.core.search_space import SearchSpace
from sublight.sdk.script import suggestion
from sublight.sdk.yaml_section import Section

# Arguments of each distribution as the file names them. The two log-uniform ones state their bounds as exponents.
_DISTRIBUTIONS: Mapping[str, tuple[str, ...]] = {
    "choice": ("values",),
    "randint": ("upper",),
    "uniform": ("min_value", "max_value"),
    "quniform": ("min_value", "max_value", "q"),
    "loguniform": ("min_value", "max_value"),
    "qloguniform": ("min_value", "max_value", "q"),
    "normal": ("mu", "sigma"),
    "qnormal": ("mu", "sigma", "q"),
    "lognormal": ("mu", "sigma"),
    "qlognormal": ("mu", "sigma", "q"),
}
_POLICIES: Mapping[str, tuple[str, ...]] = {
    "bandit": ("slack_factor", "slack_amount"),
    "median_stopping": (),
    "truncation_selection": ("truncation_percentage",),
}
_LITERAL_INPUTS: Mapping[str, tuple[type, ...]] = {
    "number": (int, float),
    "integer": (int,),
    "string": (str,),
    "boolean": (bool,),
}
_PATH_INPUTS = ("uri_file", "uri_folder")
_READING_MODES = ("ro_mount", "download", "direct")


def read_space(section: Section) -> dict[str, object]:
    """The search space in our own JSON form, checked; each complaint names the parameter's place."""
    space: dict[str, object] = {}
    for name in section.names():
        value = section.take(name)
        if isinstance(value, list):
            value = {"type": "choice", "values": value}
        if not isinstance(value, Mapping):
            raise section.fault(name, f"expected a distribution (type: uniform, …) or a list of values, got {value!r}")
        space[name] = _distribution(Section(section.document, (*section.keys, name), value))
        try:
            SearchSpace.from_json({name: space[name]})
        except InvalidInput as error:
            raise section.fault(name, str(error)) from error
    return space


def _distribution(section: Section) -> dict[str, object]:
    kind = section.needed_text("type")
    if kind not in _DISTRIBUTIONS:
        known = list(_DISTRIBUTIONS)
        raise section.fault("type", f"{kind!r} is no distribution{suggestion(kind, known)} (known: {', '.join(known)})")
    if kind == "choice":
        values = section.take("values")
        section.close()
        if not isinstance(values, list):
            raise section.fault("values", "a choice needs a list of values")
        return {"type": kind, "values": [_option(section, number, value) for number, value in enumerate(values)]}
    given = {
        argument: section.whole_number(argument) if argument == "upper" else section.number(argument)
        for argument in _DISTRIBUTIONS[kind]
    }
    section.close()
    arguments: dict[str, object] = {"type": kind}
    for argument, value in given.items():
        if value is None:
            raise section.fault(None, f"{kind} needs {argument!r}")
        is_exponent = kind in ("loguniform", "qloguniform") and argument != "q"
        arguments[argument] = _exp(section, argument, value) if is_exponent else value
    return arguments


def _exp(section: Section, argument: str, exponent: float) -> float:
    try:
        return math.exp(exponent)
    except OverflowError as error:
        raise section.fault(
            argument, f"the bounds of a loguniform are exponents in a job file: e^{exponent:g} is no number any more"
        ) from error


def _option(section: Section, number: int, value: Any) -> object:
    """A plain value, or a mapping that brings parameters of its own."""
    if not isinstance(value, Mapping):
        return value
    option = Section(section.document, (*section.keys, "values", number), value)
    return {name: _inner(option, name) for name in option.names()}


def _inner(option: Section, name: str) -> object:
    value = option.take(name)
    if isinstance(value, Mapping):
        return _distribution(Section(option.document, (*option.keys, name), value))
    return value


def read_sampler(job: Section, *, method: str | None, seed: int | None) -> Sampler:
    """The sampling algorithm, a word or a section; random when the file names none. Our own keys come beside it."""
    raw = job.take("sampling_algorithm")
    if raw is None or isinstance(raw, str):
        kind, rule = raw or "random", None
    else:
        section = job.section("sampling_algorithm")
        kind, rule = section.needed_text("type"), section.text("rule")
        own_seed = section.whole_number("seed")
        seed = own_seed if own_seed is not None else seed
        _check_log_base(section)
        section.close()
    kind = kind.lower()
    if kind not in ("random", "grid", "bayesian"):
        known = ["random", "grid", "bayesian"]
        raise job.fault(
            "sampling_algorithm", f"{kind!r} is no algorithm{suggestion(kind, known)} (known: {', '.join(known)})"
        )
    if rule not in (None, "random", "sobol") or (rule == "sobol" and kind != "random"):
        raise job.fault("sampling_algorithm", f"the rule is random or sobol, for the random algorithm; got {rule!r}")
    declared: dict[str, object] = {"type": "sobol" if rule == "sobol" else kind}
    if seed is not None and kind != "grid":
        declared["seed"] = seed
    if method is not None:
        if kind != "bayesian":
            raise job.fault("sublight", f"method is for the bayesian algorithm, which is not what {kind} is")
        declared["method"] = method
    try:
        return sampler_from_json(declared)
    except (InvalidInput, NotSupported) as error:
        raise type(error)(f"{job.place('sampling_algorithm')}: {error}") from error


def read_policy(section: Section) -> Policy:
    """The early-termination policy."""
    kind = section.needed_text("type").lower()
    if kind not in _POLICIES:
        known = list(_POLICIES)
        raise section.fault("type", f"{kind!r} is no policy{suggestion(kind, known)} (known: {', '.join(known)})")
    declared: dict[str, object] = {"type": kind}
    for key in _POLICIES[kind]:
        value = section.number(key)
        if value is not None:
            declared[key] = value
    for key in ("evaluation_interval", "delay_evaluation"):
        number = section.whole_number(key)
        if number is not None:
            declared[key] = number
    section.close()
    try:
        return policy_from_json(declared)
    except InvalidInput as error:
        raise section.fault(None, str(error)) from error


def read_inputs(section: Section, folder: Path) -> dict[str, str]:
    """The inputs as text: literals as they are, local paths made absolute (they are relative to the file)."""
    inputs: dict[str, str] = {}
    for name in section.names():
        value = section.take(name)
        if isinstance(value, Mapping):
            inputs[name] = _declared_input(Section(section.document, (*section.keys, name), value), folder)
        elif isinstance(value, (str, int, float, bool)):
            inputs[name] = as_text(value)
        else:
            raise section.fault(name, f"expected a value, or a section with a type, got {value!r}")
    return inputs


def _declared_input(section: Section, folder: Path) -> str:
    kind = "uri_folder" if section.has("path") and not section.has("type") else section.needed_text("type")
    if kind in _LITERAL_INPUTS:
        return _literal_input(section, kind)
    if kind not in _PATH_INPUTS:
        raise NotSupported(
            f"{section.place('type')}: an input of type {kind!r} is not offered; use uri_file or uri_folder with a local "
            f"path, or one of {', '.join(_LITERAL_INPUTS)}"
        )
    mode = section.text("mode")
    if mode not in (None, *_READING_MODES):
        raise NotSupported(f"{section.place('mode')}: the path is read in place here; remove mode: {mode}")
    path = section.needed_text("path")
    section.close()
    if ":" in path.partition("/")[0]:
        raise NotSupported(
            f"{section.place('path')}: only paths on this machine are offered, got {path!r}; write the local path"
        )
    return str((folder / Path(path).expanduser()).resolve())


def _literal_input(section: Section, kind: str) -> str:
    value, default = section.take("value"), section.take("default")
    section.close()
    value = default if value is None else value
    is_right = isinstance(value, _LITERAL_INPUTS[kind]) and (kind == "boolean" or not isinstance(value, bool))
    if not is_right:
        raise section.fault(None, f"an input of type {kind} needs a value of that type, got {value!r}")
    return as_text(value)


def _check_log_base(section: Section) -> None:
    """Only base e is offered, which is what Azure ML takes when nothing is said."""
    base = section.take("logbase")
    is_number = isinstance(base, (int, float)) and not isinstance(base, bool)
    if base is None or base == "e" or (is_number and math.isclose(base, math.e, rel_tol=1e-6)):
        return
    raise NotSupported(
        f"{section.place('logbase')}: the bounds of log distributions are exponents of e here, got base {base!r}; "
        "multiply the bounds by the natural logarithm of that base and remove logbase"
    )
