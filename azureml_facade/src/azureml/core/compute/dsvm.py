"""A virtual machine for data science."""

from __future__ import annotations

from typing import Any

from azureml.core.compute._azure_only import AzureOnlyProvisioning, AzureOnlyTarget, refuse_credentials
from azureml.core.compute.compute import ComputeTargetProvisioningConfiguration


class DsvmCompute(AzureOnlyTarget):
    """A virtual machine for data science."""

    _compute_type = "VirtualMachine"

    @staticmethod
    def provisioning_configuration(
        vm_size: str | None = None, ssh_port: int | None = None, location: str | None = None
    ) -> ComputeTargetProvisioningConfiguration:
        """How one is to be made."""
        return AzureOnlyProvisioning(DsvmCompute, location, vm_size=vm_size, ssh_port=ssh_port)

    def get_credentials(self) -> dict[str, Any]:
        """Refused."""
        refuse_credentials("DsvmCompute")
