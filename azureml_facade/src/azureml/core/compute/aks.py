"""A Kubernetes service for deployed models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azureml.core.compute._azure_only import AzureOnlyAttach, AzureOnlyProvisioning, AzureOnlyTarget, refuse_credentials
from azureml.core.compute.compute import (
    ComputeTarget,
    ComputeTargetAttachConfiguration,
    ComputeTargetProvisioningConfiguration,
    refuse_kind,
)

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace


class AksCompute(AzureOnlyTarget):
    """A Kubernetes service for deployed models."""

    _compute_type = "AKS"

    @staticmethod
    def attach(workspace: Workspace, name: str, resource_id: str) -> ComputeTarget:  # type: ignore[override]
        """Refused."""
        refuse_kind("AksCompute.attach", "AksCompute")

    @staticmethod
    def attach_configuration(
        resource_group: str | None = None,
        cluster_name: str | None = None,
        resource_id: str | None = None,
        cluster_purpose: str | None = None,
        load_balancer_type: str | None = None,
        load_balancer_subnet: str | None = None,
    ) -> ComputeTargetAttachConfiguration:
        """What is to be attached."""
        return AzureOnlyAttach(
            AksCompute,
            resource_group=resource_group,
            cluster_name=cluster_name,
            resource_id=resource_id,
            cluster_purpose=cluster_purpose,
            load_balancer_type=load_balancer_type,
            load_balancer_subnet=load_balancer_subnet,
        )

    @staticmethod
    def provisioning_configuration(
        agent_count: int | None = None,
        vm_size: str | None = None,
        ssl_cname: str | None = None,
        ssl_cert_pem_file: str | None = None,
        ssl_key_pem_file: str | None = None,
        location: str | None = None,
        vnet_resourcegroup_name: str | None = None,
        vnet_name: str | None = None,
        subnet_name: str | None = None,
        service_cidr: str | None = None,
        dns_service_ip: str | None = None,
        docker_bridge_cidr: str | None = None,
        cluster_purpose: str | None = None,
        load_balancer_type: str | None = None,
        load_balancer_subnet: str | None = None,
    ) -> ComputeTargetProvisioningConfiguration:
        """How one is to be made."""
        return AzureOnlyProvisioning(
            AksCompute,
            location,
            agent_count=agent_count,
            vm_size=vm_size,
            ssl_cname=ssl_cname,
            ssl_cert_pem_file=ssl_cert_pem_file,
            ssl_key_pem_file=ssl_key_pem_file,
            vnet_resourcegroup_name=vnet_resourcegroup_name,
            vnet_name=vnet_name,
            subnet_name=subnet_name,
            service_cidr=service_cidr,
            dns_service_ip=dns_service_ip,
            docker_bridge_cidr=docker_bridge_cidr,
            cluster_purpose=cluster_purpose,
            load_balancer_type=load_balancer_type,
            load_balancer_subnet=load_balancer_subnet,
        )

    def get_credentials(self) -> dict[str, Any]:
        """Refused."""
        refuse_credentials("AksCompute")

    def update(self, update_configuration: Any) -> None:
        """Refused."""
        self._refuse("update")

    class ClusterPurpose:
        """What the service is for."""

        FAST_PROD = "FastProd"
        DENSE_PROD = "DenseProd"
        DEV_TEST = "DevTest"
