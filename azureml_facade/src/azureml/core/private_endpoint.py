"""Private end points, which exist in Azure's networks only: they can be described, and refuse to be used."""

from __future__ import annotations

from typing import Any

from azureml._refusal import refuse

_WHY = "a Sublight workspace has no private network; protect its address as you protect any server"


class PrivateEndPointConfig:
    """How a private end point was to be made."""

    def __init__(
        self,
        name: str,
        vnet_name: str,
        vnet_subnet_name: str | None = None,
        vnet_subscription_id: str | None = None,
        vnet_resource_group: str | None = None,
    ) -> None:
        self.name = name
        self.vnet_name = vnet_name
        self.vnet_subnet_name = vnet_subnet_name
        self.vnet_subscription_id = vnet_subscription_id
        self.vnet_resource_group = vnet_resource_group


class PrivateEndPoint:
    """A private end point by its ids in Azure."""

    def __init__(
        self,
        private_endpoint_connection_resource_id: str | None = None,
        private_endpoint_resource_id: str | None = None,
    ) -> None:
        self.private_endpoint_connection_resource_id = private_endpoint_connection_resource_id
        self.private_endpoint_resource_id = private_endpoint_resource_id

    def delete(self, auth: Any = None) -> None:
        """Refused."""
        refuse("PrivateEndPoint.delete", _WHY)

    def get_details(self, auth: Any = None) -> dict[str, Any]:
        """Refused."""
        refuse("PrivateEndPoint.get_details", _WHY)
