"""Azure Batch."""

from __future__ import annotations

from azureml.core.compute._azure_only import AzureOnlyAttach, AzureOnlyTarget
from azureml.core.compute.compute import ComputeTargetAttachConfiguration


class BatchCompute(AzureOnlyTarget):
    """Azure Batch."""

    _compute_type = "Batch"

    @staticmethod
    def attach_configuration(
        resource_group: str | None = None, account_name: str | None = None, resource_id: str | None = None
    ) -> ComputeTargetAttachConfiguration:
        """What is to be attached."""
        return AzureOnlyAttach(
            BatchCompute, resource_group=resource_group, account_name=account_name, resource_id=resource_id
        )
