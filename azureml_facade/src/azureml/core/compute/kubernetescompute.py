"""A Kubernetes cluster."""

from __future__ import annotations

from typing import Any

from azureml.core.compute._azure_only import AzureOnlyAttach, AzureOnlyTarget
from azureml.core.compute.compute import ComputeTargetAttachConfiguration


class KubernetesComputeAttachConfiguration(AzureOnlyAttach):
    """Which cluster is to be attached."""

    def __init__(
        self,
        resource_id: str | None = None,
        namespace: str | None = None,
        identity_type: str | None = None,
        identity_ids: list[str] | None = None,
    ) -> None:
        super().__init__(
            KubernetesCompute,
            resource_id=resource_id,
            namespace=namespace,
            identity_type=identity_type,
            identity_ids=identity_ids,
        )

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {name: value for name, value in self.__dict__.items() if not name.startswith("_")}


class KubernetesCompute(AzureOnlyTarget):
    """A Kubernetes cluster."""

    _compute_type = "Kubernetes"

    @staticmethod
    def attach_configuration(
        resource_id: str | None = None,
        namespace: str | None = None,
        identity_type: str | None = None,
        identity_ids: list[str] | None = None,
    ) -> ComputeTargetAttachConfiguration:
        """What is to be attached."""
        return KubernetesComputeAttachConfiguration(resource_id, namespace, identity_type, identity_ids)

    def get(self) -> dict[str, Any]:
        """Refused."""
        self._refuse("get")


class KubernetesComputeStatus:
    """A Kubernetes cluster at one moment."""

    def __init__(self, creation_time: str | None, modified_time: str | None, provisioning_state: str | None) -> None:
        self.creation_time = creation_time
        self.modified_time = modified_time
        self.provisioning_state = provisioning_state

    def serialize(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "creationTime": self.creation_time,
            "modifiedTime": self.modified_time,
            "provisioningState": self.provisioning_state,
        }

    @staticmethod
    def deserialize(object_dict: dict[str, Any]) -> KubernetesComputeStatus | None:
        """What ``serialize`` gave; None for nothing."""
        if not object_dict:
            return None
        return KubernetesComputeStatus(
            object_dict["creationTime"], object_dict["modifiedTime"], object_dict["provisioningState"]
        )
