"""What a dataset is: where its files lie, how they are read, and what is done with them afterwards. Plain data, no reading.

The same form is kept in the workspace (the ``definition`` of an asset of kind "dataset") and written by
``sublight dataset register``::

    {"type": "tabular" | "file", "format": "delimited" | "parquet" | "json" | "files",
     "options": {...}, "paths": [...], "steps": [...]}

A path is one of ``{"datastore": name, "path": pattern}``, ``{"asset_file": path}``, ``{"url": address}`` and
``{"local": absolute path}``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from azureml.exceptions import UserErrorException

PathRecord = Mapping[str, str]

_URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.\-]+://")
_AZUREML_URL = re.compile(r"^azureml://(?:.*/)?datastores/(?P<datastore>[^/]+)(?:/paths/?(?P<path>.*))?$")


@dataclass(frozen=True, slots=True)
class Definition:
    """The plain description of a dataset."""

    type: str
    format: str
    paths: tuple[PathRecord, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Mapping[str, Any], ...] = ()

    def with_step(self, step: str, **values: Any) -> Definition:
        """The same dataset with one more transformation."""
        return replace(self, steps=(*self.steps, {"step": step, **values}))

    def as_dict(self) -> dict[str, Any]:
        """The form that is kept and sent."""
        return {
            "type": self.type,
            "format": self.format,
            "options": dict(self.options),
            "paths": [dict(path) for path in self.paths],
            "steps": [dict(step) for step in self.steps],
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Definition:
        """What ``as_dict`` (or the command line) wrote."""
        kind = str(kept.get("type") or "file")
        return cls(
            type=kind,
            format=str(kept.get("format") or ("files" if kind == "file" else "delimited")),
            paths=tuple(kept.get("paths") or ()),
            options=dict(kept.get("options") or {}),
            steps=tuple(kept.get("steps") or ()),
        )


@dataclass(frozen=True, slots=True)
class GivenPaths:
    """What a ``path`` argument meant, with the workspace of the datastores named in it (None: none was named)."""

    records: tuple[PathRecord, ...]
    workspace: Any


def given_paths(path: Any) -> GivenPaths:
    """Read a ``path`` argument of v1: an address, a local path, a DataPath, ``(datastore, path)``, or a list of these."""
    records: list[PathRecord] = []
    workspaces: list[Any] = []
    _collect(path, records, workspaces)
    if not records:
        raise UserErrorException("a dataset needs at least one path, got an empty list")
    return GivenPaths(tuple(records), workspaces[0] if workspaces else None)


def _collect(path: Any, records: list[PathRecord], workspaces: list[Any]) -> None:
    if isinstance(path, (str, os.PathLike)):
        records.append(_record_of_text(os.fspath(path)))
    elif isinstance(path, tuple) and len(path) == 2 and _is_datastore(path[0]):
        datastore, inside = path
        for one in inside if isinstance(inside, (list, tuple)) else [inside]:
            records.append({"datastore": datastore.name, "path": _clean(one)})
        workspaces.append(datastore.workspace)
    elif isinstance(path, (list, tuple)):
        for one in path:
            _collect(one, records, workspaces)
    elif _is_datastore(path):
        _collect((path, ""), records, workspaces)
    elif hasattr(path, "path_on_datastore"):  # a DataPath or a DataReference
        datastore = getattr(path, "_datastore", None) or getattr(path, "datastore", None)
        _collect((datastore, path.path_on_datastore or ""), records, workspaces)
    else:
        raise UserErrorException(
            "a dataset's path is an address, a local path, a DataPath, (datastore, path) or a list of these, "
            f"got {type(path).__name__}"
        )


def _is_datastore(thing: Any) -> bool:
    return hasattr(thing, "datastore_type") and hasattr(thing, "name")


def _clean(inside: Any) -> str:
    return str(inside or "").replace("\\", "/").strip().removeprefix("./").lstrip("/")


def _record_of_text(text: str) -> PathRecord:
    if not text.strip():
        raise UserErrorException("a dataset's path must not be empty")
    if text.startswith("file://"):
        text = text.removeprefix("file://")
    named = _AZUREML_URL.match(text)
    if named:
        return {"datastore": named["datastore"], "path": _clean(named["path"])}
    if _URL.match(text):
        return {"url": text}
    return {"local": str(Path(os.path.abspath(os.path.expanduser(text))))}
