"""Azure Data Lake Analytics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azureml.core.compute._azure_only import AzureOnlyAttach, AzureOnlyTarget
from azureml.core.compute.compute import ComputeTarget, ComputeTargetAttachConfiguration, refuse_kind

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace


class AdlaCompute(AzureOnlyTarget):
    """Azure Data Lake Analytics."""

    _compute_type = "DataLakeAnalytics"

    @staticmethod
    def attach(workspace: Workspace, name: str, resource_id: str) -> ComputeTarget:  # type: ignore[override]
        """Refused."""
        refuse_kind("AdlaCompute.attach", "AdlaCompute")

    @staticmethod
    def attach_configuration(
        resource_group: str | None = None, account_name: str | None = None, resource_id: str | None = None
    ) -> ComputeTargetAttachConfiguration:
        """What is to be attached."""
        return AzureOnlyAttach(
            AdlaCompute, resource_group=resource_group, account_name=account_name, resource_id=resource_id
        )
