"""A machine that is reached by SSH."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azureml.core.compute._azure_only import AzureOnlyAttach, AzureOnlyTarget, refuse_credentials
from azureml.core.compute.compute import ComputeTarget, ComputeTargetAttachConfiguration, refuse_kind

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace


class RemoteComputeAttachConfiguration(AzureOnlyAttach):
    """Which machine is to be attached."""

    def __init__(
        self,
        username: str,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        vm_name: str | None = None,
        resource_id: str | None = None,
        address: str | None = None,
        ssh_port: int = 22,
        password: str = "",
        private_key_file: str = "",
        private_key_passphrase: str = "",
    ) -> None:
        super().__init__(
            RemoteCompute,
            username=username,
            subscription_id=subscription_id,
            resource_group=resource_group,
            vm_name=vm_name,
            resource_id=resource_id,
            address=address,
            ssh_port=ssh_port,
            password=password,
            private_key_file=private_key_file,
            private_key_passphrase=private_key_passphrase,
        )


class RemoteCompute(AzureOnlyTarget):
    """A machine that is reached by SSH."""

    _compute_type = "VirtualMachine"

    @staticmethod
    def attach(  # type: ignore[override]
        workspace: Workspace,
        name: str,
        username: str,
        address: str,
        ssh_port: int = 22,
        password: str = "",
        private_key_file: str = "",
        private_key_passphrase: str = "",
    ) -> ComputeTarget:
        """Refused."""
        refuse_kind("RemoteCompute.attach", "RemoteCompute")

    @staticmethod
    def attach_configuration(
        username: str,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        vm_name: str | None = None,
        resource_id: str | None = None,
        address: str | None = None,
        ssh_port: int = 22,
        password: str = "",
        private_key_file: str = "",
        private_key_passphrase: str = "",
    ) -> ComputeTargetAttachConfiguration:
        """What is to be attached."""
        return RemoteComputeAttachConfiguration(
            username,
            subscription_id=subscription_id,
            resource_group=resource_group,
            vm_name=vm_name,
            resource_id=resource_id,
            address=address,
            ssh_port=ssh_port,
            password=password,
            private_key_file=private_key_file,
            private_key_passphrase=private_key_passphrase,
        )

    def get_credentials(self) -> dict[str, Any]:
        """Refused."""
        refuse_credentials("RemoteCompute")
