"""Azure Databricks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azureml.core.compute._azure_only import AzureOnlyAttach, AzureOnlyTarget, refuse_credentials
from azureml.core.compute.compute import ComputeTarget, ComputeTargetAttachConfiguration, refuse_kind

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace


class DatabricksCompute(AzureOnlyTarget):
    """Azure Databricks."""

    _compute_type = "Databricks"

    @staticmethod
    def attach(workspace: Workspace, name: str, resource_id: str, access_token: str) -> ComputeTarget:  # type: ignore[override]
        """Refused."""
        refuse_kind("DatabricksCompute.attach", "DatabricksCompute")

    @staticmethod
    def attach_configuration(
        resource_group: str | None = None,
        workspace_name: str | None = None,
        resource_id: str | None = None,
        access_token: str = "",
    ) -> ComputeTargetAttachConfiguration:
        """What is to be attached."""
        return AzureOnlyAttach(
            DatabricksCompute,
            resource_group=resource_group,
            workspace_name=workspace_name,
            resource_id=resource_id,
            access_token=access_token,
        )

    def get_credentials(self) -> dict[str, Any]:
        """Refused."""
        refuse_credentials("DatabricksCompute")
