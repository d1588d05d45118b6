"""Azure Data Explorer."""

from __future__ import annotations

from typing import Any

from azureml.core.compute._azure_only import AzureOnlyAttach, AzureOnlyTarget, refuse_credentials
from azureml.core.compute.compute import ComputeTargetAttachConfiguration


class KustoCompute(AzureOnlyTarget):
    """Azure Data Explorer."""

    _compute_type = "Kusto"

    @staticmethod
    def attach_configuration(
        resource_group: str | None = None,
        workspace_name: str | None = None,
        resource_id: str | None = None,
        tenant_id: str | None = None,
        kusto_connection_string: str | None = None,
        application_id: str | None = None,
        application_key: str | None = None,
    ) -> ComputeTargetAttachConfiguration:
        """What is to be attached."""
        return AzureOnlyAttach(
            KustoCompute,
            resource_group=resource_group,
            workspace_name=workspace_name,
            resource_id=resource_id,
            tenant_id=tenant_id,
            kusto_connection_string=kusto_connection_string,
            application_id=application_id,
            application_key=application_key,
        )

    def get_credentials(self) -> dict[str, Any]:
        """Refused."""
        refuse_credentials("KustoCompute")
