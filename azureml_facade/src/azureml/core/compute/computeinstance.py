"""A virtual machine of one person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azureml._refusal import LIST_OF_SUPPORT
from azureml.core.compute._azure_only import AzureOnlyProvisioning, AzureOnlyTarget
from azureml.core.compute.compute import ComputeTargetProvisioningConfiguration

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace


class ComputeInstanceProvisioningConfiguration(AzureOnlyProvisioning):
    """How one is to be made."""

    def __init__(
        self,
        vm_size: str = "",
        ssh_public_access: bool = False,
        admin_user_ssh_public_key: str | None = None,
        vnet_resourcegroup_name: str | None = None,
        vnet_name: str | None = None,
        subnet_name: str | None = None,
        tags: dict[str, str] | None = None,
        description: str | None = None,
        assigned_user_object_id: str | None = None,
        assigned_user_tenant_id: str | None = None,
    ) -> None:
        super().__init__(
            ComputeInstance,
            None,
            vm_size=vm_size,
            ssh_public_access=ssh_public_access,
            admin_user_ssh_public_key=admin_user_ssh_public_key,
            vnet_resourcegroup_name=vnet_resourcegroup_name,
            vnet_name=vnet_name,
            subnet_name=subnet_name,
            tags=tags,
            description=description,
            assigned_user_object_id=assigned_user_object_id,
            assigned_user_tenant_id=assigned_user_tenant_id,
        )


class ComputeInstance(AzureOnlyTarget):
    """A virtual machine of one person."""

    _compute_type = "ComputeInstance"

    @staticmethod
    def provisioning_configuration(
        vm_size: str = "",
        ssh_public_access: bool = False,
        admin_user_ssh_public_key: str | None = None,
        vnet_resourcegroup_name: str | None = None,
        vnet_name: str | None = None,
        subnet_name: str | None = None,
        tags: dict[str, str] | None = None,
        description: str | None = None,
        assigned_user_object_id: str | None = None,
        assigned_user_tenant_id: str | None = None,
    ) -> ComputeTargetProvisioningConfiguration:
        """How one is to be made."""
        return ComputeInstanceProvisioningConfiguration(
            vm_size,
            ssh_public_access,
            admin_user_ssh_public_key,
            vnet_resourcegroup_name,
            vnet_name,
            subnet_name,
            tags,
            description,
            assigned_user_object_id,
            assigned_user_tenant_id,
        )

    @staticmethod
    def supported_vmsizes(workspace: Workspace, location: str | None = None) -> list[dict[str, Any]]:
        """The sizes that the server knows by name."""
        from azureml.core.compute.amlcompute import AmlCompute

        return AmlCompute.supported_vmsizes(workspace, location)

    def delete(self, wait_for_completion: bool = False, show_output: bool = False) -> None:
        """Refused."""
        self._refuse("delete")

    def get(self) -> dict[str, Any]:
        """Refused."""
        self._refuse("get")

    def get_active_runs(
        self, type: str | None = None, tags: Any = None, properties: Any = None, status: str | None = None
    ) -> Any:
        """Refused."""
        self._refuse("get_active_runs")

    @classmethod
    def get_docs_url(cls) -> str:
        """Where what is supported is written down."""
        return LIST_OF_SUPPORT

    def start(self, wait_for_completion: bool = False, show_output: bool = False) -> None:
        """Refused."""
        self._refuse("start")

    def stop(self, wait_for_completion: bool = False, show_output: bool = False) -> None:
        """Refused."""
        self._refuse("stop")

    def restart(self, wait_for_completion: bool = False, show_output: bool = False) -> None:
        """Refused."""
        self._refuse("restart")

    def update_sso_settings(self, value: bool) -> None:
        """Refused."""
        self._refuse("update_sso_settings")


class ComputeInstanceStatus:
    """A compute instance at one moment."""

    def __init__(
        self,
        creation_time: str | None,
        created_by_user_name: str | None,
        created_by_user_id: str | None,
        created_by_user_org: str | None,
        errors: list[dict[str, Any]] | None,
        modified_time: str | None,
        state: str | None,
        vm_size: str | None,
    ) -> None:
        self.creation_time = creation_time
        self.created_by_user_name = created_by_user_name
        self.created_by_user_id = created_by_user_id
        self.created_by_user_org = created_by_user_org
        self.errors = errors
        self.modified_time = modified_time
        self.state = state
        self.vm_size = vm_size

    def serialize(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "creationTime": self.creation_time,
            "createdBy": {
                "userName": self.created_by_user_name,
                "userId": self.created_by_user_id,
                "userOrgId": self.created_by_user_org,
            },
            "errors": self.errors,
            "modifiedTime": self.modified_time,
            "state": self.state,
            "vmSize": self.vm_size,
        }

    @staticmethod
    def deserialize(object_dict: dict[str, Any]) -> ComputeInstanceStatus | None:
        """What ``serialize`` gave; None for nothing."""
        if not object_dict:
            return None
        person = object_dict.get("createdBy") or {}
        return ComputeInstanceStatus(
            object_dict.get("creationTime"),
            person.get("userName"),
            person.get("userId"),
            person.get("userOrgId"),
            object_dict.get("errors"),
            object_dict.get("modifiedTime"),
            object_dict.get("state"),
            object_dict.get("vmSize"),
        )
