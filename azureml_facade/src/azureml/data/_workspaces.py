"""Which Sublight workspace a dataset speaks to when the call did not name one."""

from __future__ import annotations

from typing import Any

from azureml.exceptions import UserErrorException


def sdk_of(workspace: Any) -> Any:
    """The Sublight workspace behind a v1 workspace."""
    sdk = getattr(workspace, "_sdk", None)
    if sdk is None:
        raise UserErrorException(f"expected a Workspace, got {type(workspace).__name__}")
    return sdk


def find_sdk() -> Any:
    """The Sublight workspace that is meant here, or None.

    Inside a run that is the run's own (by environment), else the one that ``Workspace.from_config()`` would give, else a
    Sublight server that is up for this folder. No server is started for this.
    """
    import os

    if not (os.environ.get("SUBLIGHT_URL") and os.environ.get("SUBLIGHT_TOKEN")):
        found = _by_config()
        if found is not None:
            return found
    from sublight import SublightError, Workspace
    from sublight.sdk.workspace import open_client

    try:
        return Workspace(client=open_client(starts_server=False))
    except SublightError:
        return None


def _by_config() -> Any:
    from azureml.core.workspace import Workspace
    from azureml.exceptions import AzureMLException
    from sublight import SublightError

    try:
        return Workspace.from_config()._sdk
    except (AzureMLException, SublightError):
        return None


def copies_of(sdk: Any) -> Any:
    """The cache of the workspace's files on this machine."""
    from sublight.sdk.local_copies import LocalCopies

    return LocalCopies(sdk.client)
