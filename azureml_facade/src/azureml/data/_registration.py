"""Datasets in the workspace: registered under a name in versions, or saved without one for the use of a run."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from azureml._translation import translated
from azureml.data import _workspaces
from azureml.data._definition import Definition
from azureml.exceptions import UserErrorException

_log = logging.getLogger("azureml.data")
_SAVED_PREFIX = "unregistered-"


def is_saved_only(asset: Any) -> bool:
    """True for a dataset that was saved for a run and never registered by a person."""
    return str(asset.name).startswith(_SAVED_PREFIX)


def register(
    definition: Definition,
    workspace: Any,
    name: str,
    *,
    description: str | None,
    tags: Mapping[str, str] | None,
    creates_version: bool,
    source: Any = None,
) -> Any:
    """The asset of the registered dataset.

    A name that is taken gives what is registered when it is the same dataset, a new version with ``creates_version``,
    else UserErrorException. Files that lie on this machine are copied into the workspace. ``source`` is the asset that the
    dataset comes from, when its files are kept there.
    """
    sdk = _workspaces.sdk_of(workspace)
    if not name or not str(name).strip():
        raise UserErrorException("a dataset is registered under a name, got an empty one")
    there = find(sdk, name)
    kept, files = _with_own_files(definition, sdk, source)
    if there is not None and not creates_version:
        if _is_same(there, kept, files):
            return there
        raise UserErrorException(
            f"the name {name!r} is taken by another dataset (version {there.version}); register this one with "
            "create_new_version=True to make it the next version"
        )
    if files:
        _log.warning("%d files of this machine are copied into the workspace with the dataset %s", len(files), name)
    with translated():
        return sdk.assets.register(
            "dataset",
            name,
            files=files or None,
            description=description or "",
            tags=dict(tags or {}),
            definition=kept.as_dict(),
            run_id=_present_run(),
        )


@translated()
def save(definition: Definition, workspace: Any, source: Any = None) -> Any:
    """The asset of a dataset that has no name: made at the first call, the same at the next for the same dataset."""
    sdk = _workspaces.sdk_of(workspace)
    kept, files = _with_own_files(definition, sdk, source)
    contents = {path: _sha256(file) for path, file in files.items()}
    digest = hashlib.sha256(json.dumps([kept.as_dict(), contents], sort_keys=True).encode()).hexdigest()
    name = _SAVED_PREFIX + digest[:32]
    there = find(sdk, name)
    if there is not None:
        return there
    return sdk.assets.register("dataset", name, files=files or None, definition=kept.as_dict())


@translated()
def find(sdk: Any, name: str, version: int | None = None) -> Any:
    """The asset of this name (newest version unless one is given), or None."""
    from sublight.sdk.errors import NotFound

    try:
        asset = sdk.assets.get("dataset", name, version)
    except NotFound:
        return None
    return None if asset.is_archived else asset


def _is_same(asset: Any, definition: Definition, files: Mapping[str, Path]) -> bool:
    if Definition.from_dict(asset.definition or {}).as_dict() != definition.as_dict():
        return False
    there = {str(file.path): file.sha256 for file in asset.files()} if files else {}
    return there == {path: _sha256(file) for path, file in files.items()}


def _sha256(file: Path) -> str:
    with open(file, "rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _with_own_files(definition: Definition, sdk: Any, source: Any) -> tuple[Definition, dict[str, Path]]:
    """The definition with the files of this machine (and of ``source``) as files of the new asset."""
    from dataclasses import replace

    from azureml.data._sources import Sources

    if not any("local" in path or "asset_file" in path for path in definition.paths):
        return definition, {}
    sources = Sources(sdk, source)
    files: dict[str, Path] = {}
    paths: list[Mapping[str, str]] = []
    for number, path in enumerate(definition.paths):
        if "local" not in path and "asset_file" not in path:
            paths.append(path)
            continue
        folder = f"{number}/" if len(definition.paths) > 1 else ""
        found = sources.files([path])
        files.update({folder + file.shown.lstrip("/"): file.local for file in found})
        is_file = sources.is_single_file([path])
        paths.append({"asset_file": folder + found[0].shown.lstrip("/") if is_file else folder + "**"})
    return replace(definition, paths=tuple(paths)), files


def _present_run() -> str | None:
    import os

    return os.environ.get("SUBLIGHT_RUN_ID") or None
