"""The public surface of the SDK v1 as a table, and what of it a class of the facade misses.

The facade's ``_features/surface.json`` holds names, parameters and defaults of azureml-core 1.61.0.post4 and
azureml-train-core 1.62.0, found by introspection:
``{module: {class or function: {"init"|"call": parameters, "methods": {…}, "properties": […]}}}``.
A parameter is written ``name`` or ``name=default``. A class whose ``init`` is missing is only said to be importable from
there. ``python -m tests.facade.surface TABLE.md`` makes it anew from the list that the introspection wrote.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
from pathlib import Path
from typing import Any

from azureml import _features

TABLE = Path(_features.__file__).with_name("surface.json")


def surface() -> dict[str, dict[str, Any]]:
    """The whole table."""
    table: dict[str, dict[str, Any]] = json.loads(TABLE.read_text())
    return table


def names(*modules: str) -> list[tuple[str, str]]:
    """All (module, name) pairs of these modules, for ``pytest.mark.parametrize``."""
    table = surface()
    return [(module, name) for module in modules for name in table[module]]


def problems(module: str, name: str) -> list[str]:
    """What ``module.name`` of the facade lacks, as sentences; empty when it has all that the table says."""
    wanted = surface()[module][name]
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        return [f"{module}.{name} cannot be imported: {error}"]
    if "call" in wanted:
        return _differences(name, wanted["call"], found, drops_first=False)
    if type(found).__name__ == "_Refusing":
        return []  # out of scope: any member can be named, and refuses when it is called
    faults = []
    if "init" in wanted:
        faults += _differences(f"{name}()", wanted["init"], found.__init__, drops_first=True)
    for method, (kind, parameters) in wanted.get("methods", {}).items():
        faults += _method_problems(found, f"{name}.{method}", method, kind, parameters)
    faults += [
        f"{name}.{one} is missing"
        for one in wanted.get("properties", [])
        if not hasattr(found, one) and one not in _assigned(found)
    ]
    return faults


def _method_problems(cls: type, shown: str, method: str, kind: str, parameters: list[str]) -> list[str]:
    try:
        raw = inspect.getattr_static(cls, method)
    except AttributeError:
        return [f"{shown} is missing"]
    if isinstance(raw, property):
        return []
    has = "static" if isinstance(raw, staticmethod) else "class" if isinstance(raw, classmethod) else ""
    if kind and not has:
        return [f"{shown} must be callable on the class, but needs an object"]
    # The introspection took the first parameter of some static methods for the object.
    is_shortened = has == "static" and not kind and parameters[:1] != ["workspace"]
    return _differences(shown, parameters, getattr(cls, method), drops_first=not has or is_shortened)


def _differences(shown: str, wanted: list[str], found: Any, *, drops_first: bool) -> list[str]:
    try:
        parameters = list(inspect.signature(found).parameters.values())
    except (TypeError, ValueError):
        return [f"{shown} has no signature"]
    if drops_first:
        parameters = parameters[1:]
    ours = [_written(parameter) for parameter in parameters]
    missing = [one for one in wanted if one not in ours]
    extra = [
        _written(parameter)
        for parameter in parameters
        if _written(parameter) not in wanted
        and parameter.default is inspect.Parameter.empty
        and parameter.kind not in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    ]
    faults = []
    if missing or extra:
        faults.append(f"{shown} takes ({', '.join(ours)}), not ({', '.join(wanted)})")
    elif [one for one in ours if one in wanted] != wanted:
        faults.append(f"{shown} takes its parameters in the order ({', '.join(ours)}), not ({', '.join(wanted)})")
    return faults


def _written(parameter: inspect.Parameter) -> str:
    if parameter.kind is inspect.Parameter.VAR_KEYWORD:
        return f"**{parameter.name}"
    if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        return f"*{parameter.name}"
    if parameter.default is inspect.Parameter.empty:
        return parameter.name
    return f"{parameter.name}={parameter.default}"


def _assigned(cls: type) -> set[str]:
    """The attributes that its methods assign, here and in its bases."""
    found: set[str] = set()
    for base in cls.__mro__[:-1]:
        try:
            found.update(re.findall(r"self\.(\w+)(?:\s*:[^=\n]+)?\s*=", inspect.getsource(base)))
        except (OSError, TypeError):
            continue
    return found


def parse(text: str) -> dict[str, dict[str, Any]]:
    """The table out of the list that the introspection wrote."""
    table: dict[str, dict[str, Any]] = {}
    entries: dict[str, Any] = {}
    entry: dict[str, Any] = {}
    for line in text.splitlines():
        if line.startswith("## "):
            entries = table.setdefault(line[3:].strip(), {})
        elif match := re.match(r"- \*\*(\w+)\*\*`\((.*)\)`( : .*)?$", line):
            entry = entries.setdefault(match[1], {})
            if match[2] or match[3]:
                entry["init"] = _parameters(match[2])
        elif match := re.match(r"- `(\w+)\((.*)\)`$", line):
            entries[match[1]] = {"call": _parameters(match[2])}
        elif line.startswith("  - properties: "):
            entry["properties"] = line.removeprefix("  - properties: ").split(", ")
            entry.setdefault("init", [])
        elif line.startswith("  - "):
            entry.setdefault("init", [])
            entry["methods"] = {
                method: [kind.strip(), _parameters(parameters)]
                for kind, method, parameters in re.findall(r"(static |class |)`(\w+)\((.*?)\)`(?: · |$)", line[4:])
            }
    return table


def _parameters(text: str) -> list[str]:
    return text.split(", ") if text else []


if __name__ == "__main__":
    made = parse(Path(sys.argv[1]).read_text())
    lines = ",\n".join(
        f" {json.dumps(module)}: {{\n"
        + ",\n".join(f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in entries.items())
        + "\n }"
        for module, entries in made.items()
    )
    TABLE.write_text("{\n" + lines + "\n}\n")
