"""A Spark pool of Azure Synapse."""

from __future__ import annotations

from typing import Any

from azureml.core.compute._azure_only import AzureOnlyAttach, AzureOnlyTarget
from azureml.core.compute.compute import ComputeTargetAttachConfiguration


class SynapseCompute(AzureOnlyTarget):
    """A Spark pool of Azure Synapse."""

    _compute_type = "SynapseSpark"

    @staticmethod
    def attach_configuration(linked_service: Any, type: str, pool_name: str) -> ComputeTargetAttachConfiguration:
        """What is to be attached."""
        return AzureOnlyAttach(SynapseCompute, linked_service=linked_service, pool_type=type, pool_name=pool_name)
