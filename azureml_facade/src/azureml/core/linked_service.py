"""Linked services, which exist in Azure only: there are none to be found, and none can be registered."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

from azureml._refusal import refuse
from azureml.exceptions import UserErrorException

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace

_WHY = "services of Azure cannot be linked to a Sublight workspace"


class LinkedServiceConfiguration:
    """What was to be linked."""

    def __init__(self, type: str) -> None:
        self.type = type


class SynapseWorkspaceLinkedServiceConfiguration(LinkedServiceConfiguration):
    """A Synapse workspace that was to be linked."""

    def __init__(self, subscription_id: str, resource_group: str, name: str) -> None:
        super().__init__("Synapse")
        self.subscription_id = subscription_id
        self.resource_group = resource_group
        self.name = name


class LinkedService:
    """A service that is linked to a workspace; there are none."""

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        type: str,
        linked_service_resource_id: str,
        system_assigned_identity_principal_id: str,
    ) -> None:
        self._workspace = workspace
        self._name = name
        self._type = type
        self._linked_service_resource_id = linked_service_resource_id
        self._system_assigned_identity_principal_id = system_assigned_identity_principal_id

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    @property
    def type(self) -> str:
        """Its kind."""
        return self._type

    @property
    def linked_service_resource_id(self) -> str:
        """Its id in Azure."""
        return self._linked_service_resource_id

    @property
    def system_assigned_identity_principal_id(self) -> str:
        """Its identity in Azure."""
        return self._system_assigned_identity_principal_id

    @staticmethod
    def register(workspace: Workspace, name: str, linked_service_config: LinkedServiceConfiguration) -> LinkedService:
        """Refused."""
        refuse("LinkedService.register", _WHY)

    @staticmethod
    def get(workspace: Workspace, name: str) -> LinkedService:
        """UserErrorException: there is none."""
        raise UserErrorException(f"there is no linked service {name!r}, because {_WHY}")

    @staticmethod
    def list(workspace: Workspace) -> builtins.list[Any]:
        """Empty."""
        return []

    def unregister(self) -> None:
        """Refused."""
        refuse("LinkedService.unregister", _WHY)
