"""Which Sublight workspace a dataset speaks to when the call did not name one."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from azureml.exceptions import UserErrorException

_log = logging.getLogger("azureml.data")


def sdk_of(workspace: Any) -> Any:
    """The Sublight workspace behind a v1 workspace."""
    sdk = getattr(workspace, "_sdk", None)
    if sdk is None:
        raise UserErrorException(f"expected a Workspace, got {type(workspace).__name__}")
    return sdk


def find_sdk() -> Any:
    """The Sublight workspace that is meant here, or None.

    Inside a run the run's own (by environment); else that of this folder, if it has one already: reading a file of the web
    is no reason to make a workspace; else the one that the program has used last.
    """
    from azureml.core import workspace as workspaces

    if os.environ.get("SUBLIGHT_URL") and os.environ.get("SUBLIGHT_TOKEN"):
        return workspaces.Workspace.from_config()._sdk
    found = _of_this_folder()
    return found if found is not None else next(reversed(workspaces._connections.values()), None)


def _of_this_folder() -> Any:
    from azureml.core.workspace import Workspace
    from azureml.exceptions import AzureMLException
    from sublight.sdk.discovery import FOLDER, find_project
    from sublight.sdk.errors import SublightError

    try:
        workspace = Workspace.from_config()
        places = [Path.cwd(), workspace._config_folder]
        if any((find_project(place) / FOLDER).is_dir() for place in places if place is not None):
            return workspace._sdk
    except (AzureMLException, SublightError) as error:
        _log.info("no workspace can be asked for copies of addresses: %s", error)
    return None


def copies_of(sdk: Any) -> Any:
    """The cache of the workspace's files on this machine."""
    from sublight.sdk.local_copies import LocalCopies

    return LocalCopies(sdk.client)
