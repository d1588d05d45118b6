"""Azure Data Factory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azureml.core.compute._azure_only import AzureOnlyAttach, AzureOnlyProvisioning, AzureOnlyTarget
from azureml.core.compute.compute import (
    ComputeTarget,
    ComputeTargetAttachConfiguration,
    ComputeTargetProvisioningConfiguration,
    refuse_kind,
)

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace


class DataFactoryCompute(AzureOnlyTarget):
    """Azure Data Factory."""

    _compute_type = "DataFactory"

    @staticmethod
    def attach(workspace: Workspace, name: str, resource_id: str) -> ComputeTarget:  # type: ignore[override]
        """Refused."""
        refuse_kind("DataFactoryCompute.attach", "DataFactoryCompute")

    @staticmethod
    def attach_configuration(
        resource_group: str | None = None, factory_name: str | None = None, resource_id: str | None = None
    ) -> ComputeTargetAttachConfiguration:
        """What is to be attached."""
        return AzureOnlyAttach(
            DataFactoryCompute, resource_group=resource_group, factory_name=factory_name, resource_id=resource_id
        )

    @staticmethod
    def provisioning_configuration(location: str | None = None) -> ComputeTargetProvisioningConfiguration:
        """How one is to be made."""
        return AzureOnlyProvisioning(DataFactoryCompute, location)
