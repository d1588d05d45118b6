"""Compute targets that exist in Azure only: they can be named and configured, and refuse to be made, attached or used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from azureml._refusal import refuse
from azureml.core.compute.compute import (
    ComputeTarget,
    ComputeTargetAttachConfiguration,
    ComputeTargetProvisioningConfiguration,
    refuse_kind,
)
from azureml.exceptions import ComputeTargetException

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace


class AzureOnlyTarget(ComputeTarget):
    """A kind of target of which a Sublight workspace has none: looking one up finds nothing."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        super().__init__(workspace, name)
        raise ComputeTargetException(
            f"there is no {type(self).__name__} {name!r} in the workspace {workspace.name}, because that kind exists in "
            "Azure only; clusters are made with AmlCompute.provisioning_configuration"
        )

    @classmethod
    def _refuse(cls, verb: str) -> NoReturn:
        refuse_kind(f"{cls.__name__}.{verb}", cls.__name__)

    def delete(self) -> None:
        """Refused."""
        self._refuse("delete")

    def detach(self) -> None:
        """Refused."""
        self._refuse("detach")

    def refresh_state(self) -> None:
        """Refused."""
        self._refuse("refresh_state")

    def serialize(self) -> dict[str, Any]:
        """Refused."""
        self._refuse("serialize")

    def get_status(self) -> Any:
        """Refused."""
        self._refuse("get_status")

    def wait_for_completion(self, show_output: bool = False, is_delete_operation: bool = False) -> None:
        """Refused."""
        self._refuse("wait_for_completion")


class AzureOnlyProvisioning(ComputeTargetProvisioningConfiguration):
    """What was asked for, as attributes; making it is refused."""

    def __init__(self, type: type[Any] | None = None, location: str | None = None, **values: Any) -> None:
        super().__init__(type, location)
        self.__dict__.update(values)

    def validate_configuration(self) -> None:
        """Nothing is checked, because nothing can be made of it."""


class AzureOnlyAttach(ComputeTargetAttachConfiguration):
    """What was to be attached, as attributes; attaching it is refused."""

    def __init__(self, type: Any, **values: Any) -> None:
        super().__init__(type)
        self.__dict__.update(values)

    def validate_configuration(self) -> None:
        """Nothing is checked, because nothing can be attached."""


def refuse_credentials(kind: str) -> NoReturn:
    """Refuse ``get_credentials`` of a kind."""
    refuse(f"{kind}.get_credentials", f"{kind} exists in Azure only")
