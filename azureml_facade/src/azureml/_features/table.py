"""The table: a name of the SDK v1 → works, differs (how), ignored (why) or refused (why)."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from azureml import _out_of_scope

_FOLDER = Path(__file__).parent
_KEY = re.compile(r"(?P<members>.*?)(?:\((?P<parameters>[\w ]+)\))?")
_MAKING = "()"


class Status(StrEnum):
    """What becomes of a name."""

    WORKS = "works"
    DIFFERS = "differs"
    IGNORED = "ignored"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Feature:
    """One name, what becomes of it, and one sentence on that (empty when it simply works)."""

    name: str
    status: Status
    how: str = ""


@dataclass(frozen=True, slots=True)
class Owner:
    """A class or function of the SDK v1: its home, its parameters, and its members with theirs."""

    name: str
    module: str
    parameters: tuple[str, ...]
    methods: Mapping[str, tuple[str, ...]]
    attributes: frozenset[str]
    bases: tuple[str, ...]
    is_function: bool

    @property
    def members(self) -> list[str]:
        """Methods and attributes, as they are documented."""
        return [*self.methods, *sorted(self.attributes - set(self.methods))]


class Table:
    """All owners, and what the notes say of their members."""

    def __init__(self, owners: Mapping[str, Owner], notes: Mapping[str, Mapping[str, Any]]) -> None:
        self.owners = owners
        self._notes = {name: _Notes(note) for name, note in notes.items()}

    @property
    def noted(self) -> Iterator[tuple[str, Feature]]:
        """Every name that the notes speak of, with its owner."""
        for owner, notes in self._notes.items():
            for key, (status, how) in notes.entries.items():
                yield owner, Feature(_shown(owner, *key), status, how)

    def of(self, owner: str, member: str = _MAKING, parameter: str = "") -> Feature:
        """What becomes of a member of a class (of making an object, unless one is named) or of a parameter of it.

        What a class does not say itself it has from its bases. A name that nothing is said of works.
        """
        name = _shown(owner, member, parameter)
        for one in self.lineage(owner):
            notes = self._notes.get(one)
            found = None if notes is None else notes.find(member, parameter)
            if found is not None:
                return Feature(name, found[0], found[1].replace("{owner}", owner))
        return Feature(name, Status.WORKS)

    def has(self, owner: str, member: str) -> bool:
        """Whether the class, or one of its bases, has such a member."""
        return any(
            member in known.methods or member in known.attributes
            for known in map(self.owners.get, self.lineage(owner))
            if known is not None
        )

    def parameters(self, owner: str, member: str = _MAKING) -> tuple[str, ...] | None:
        """The names of the parameters, ``**`` among them when any name is taken; None when they are not known."""
        for known in map(self.owners.get, self.lineage(owner)):
            if known is None:
                continue
            if member == _MAKING:
                return known.parameters
            if member in known.methods:
                return known.methods[member]
        return None

    def lineage(self, owner: str) -> Iterator[str]:
        """The class and what it derives from, nearest first."""
        yield owner
        known = self.owners.get(owner)
        for base in () if known is None else known.bases:
            yield from self.lineage(base)

    def features(self, owner: Owner) -> Iterator[Feature]:
        """Every name of an owner that the SDK v1 documented: making it, members, parameters."""
        yield self.of(owner.name)
        yield from (self.of(owner.name, _MAKING, one) for one in _public(owner.parameters))
        for member in owner.members:
            yield self.of(owner.name, member)
            for one in _public(owner.methods.get(member, ())):
                yield self.of(owner.name, member, one)


class _Notes:
    """What the notes say of one owner."""

    def __init__(self, note: Mapping[str, Any]) -> None:
        self.entries: dict[tuple[str, str], tuple[Status, str]] = {}
        self._works = set(str(note.get("works", "")).split())
        # A member may both differ and have parameters that are ignored; of one and the same name the later counts.
        for status in (Status.DIFFERS, Status.IGNORED, Status.REFUSED):
            for key, how in note.get(status.value, {}).items():
                match = _KEY.fullmatch(key)
                assert match is not None, key
                for member in match["members"].split() or [_MAKING]:
                    for parameter in (match["parameters"] or "").split() or [""]:
                        self.entries[member, parameter] = (status, str(how))

    def find(self, member: str, parameter: str) -> tuple[Status, str] | None:
        found = self.entries.get((member, parameter))
        if found is not None or parameter or member in self._works:
            return found
        return self.entries.get(("*", ""))


@functools.cache
def table() -> Table:
    """The table of this package."""
    surface = json.loads((_FOLDER / "surface.json").read_text())
    notes: dict[str, dict[str, Any]] = yaml.safe_load((_FOLDER / "features.yaml").read_text())
    also: dict[str, dict[str, Any]] = yaml.safe_load((_FOLDER / "also.yaml").read_text())
    owners = dict(_owners(surface, also["bases"]))
    for name, extra in also["members"].items():
        owners[name] = _with(owners.get(name), name, extra)
    return Table(owners, notes)


def why_out_of_scope(path: str) -> str | None:
    """Why an import path is out of scope, or None when it is not."""
    return _out_of_scope.why(path)


def _owners(surface: Mapping[str, Any], bases: Mapping[str, str]) -> Iterator[tuple[str, Owner]]:
    """The owners of the list that introspection made. A class is described where it was met first."""
    met: set[str] = set()
    for module, entries in surface.items():
        for name, entry in entries.items():
            shown = f"runconfig.{name}" if _is_another(module, name) else name
            if not ({"init", "call"} & set(entry)) or shown in met:
                continue
            met.add(shown)
            yield (
                shown,
                Owner(
                    shown,
                    module,
                    _names(entry.get("call", entry.get("init", []))),
                    {method: _names(parameters) for method, (_, parameters) in entry.get("methods", {}).items()},
                    frozenset(entry.get("properties", [])),
                    tuple(bases.get(shown, "").split()),
                    is_function="call" in entry,
                ),
            )


def _is_another(module: str, name: str) -> bool:
    """Run configurations have classes of their own under names that other modules use, too."""
    return module == "azureml.core.runconfig" and name in ("DataPath", "Dataset", "MountOptions", "UploadOptions")


def _with(known: Owner | None, name: str, extra: Mapping[str, Any]) -> Owner:
    """An owner with names that introspection did not see: attributes of objects, and classes of other packages."""
    attributes = frozenset(str(extra.get("attributes", "")).split())
    methods = {method: tuple(str(parameters or "").split()) for method, parameters in extra.get("methods", {}).items()}
    bases = tuple(str(extra.get("bases", "")).split())
    if known is None:
        parameters = tuple(str(extra.get("parameters", "")).split())
        is_function = bool(extra.get("is_function", False))
        return Owner(name, extra["module"], parameters, methods, attributes, bases, is_function)
    return Owner(
        name,
        known.module,
        known.parameters,
        {**known.methods, **methods},
        known.attributes | attributes,
        known.bases or bases,
        known.is_function,
    )


def _names(parameters: list[str]) -> tuple[str, ...]:
    return tuple("**" if one.startswith("**") else one.partition("=")[0] for one in parameters)


def _public(parameters: tuple[str, ...]) -> list[str]:
    return [one for one in parameters if not one.startswith(("_", "*"))]


def _shown(owner: str, member: str, parameter: str = "") -> str:
    """``Run``, ``Run.log`` or ``Run.log(description)``; of making an object ``Run`` or ``Run(outputs)``."""
    name = owner if member == _MAKING else f"{owner}.{member}"
    return f"{name}({parameter})" if parameter else name
