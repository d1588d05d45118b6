"""What was a data lake: a folder of the workspace like the others."""

from __future__ import annotations

from typing import Any

from azureml.data.azure_storage_datastore import AbstractAzureStorageDatastore


class AbstractADLSDatastore(AbstractAzureStorageDatastore):
    """A data lake; ``tenant_id`` and ``client_id`` are kept as they were given, and not used."""

    def __init__(
        self,
        workspace: Any,
        name: str,
        datastore_type: str,
        container_name: str,
        account_name: str,
        tenant_id: str | None = None,
        client_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(workspace, name, datastore_type, container_name, account_name)
        self.tenant_id = tenant_id
        self.client_id = client_id


class AzureDataLakeDatastore(AbstractADLSDatastore):
    """What was a data lake of the first generation."""

    def __init__(
        self,
        workspace: Any,
        name: str,
        store_name: str,
        tenant_id: str | None = None,
        client_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(workspace, name, "AzureDataLake", store_name, store_name, tenant_id, client_id)
        self.store_name = store_name


class AzureDataLakeGen2Datastore(AbstractADLSDatastore):
    """What was a data lake of the second generation."""

    def __init__(
        self,
        workspace: Any,
        name: str,
        container_name: str,
        account_name: str,
        tenant_id: str | None = None,
        client_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(workspace, name, "AzureDataLakeGen2", container_name, account_name, tenant_id, client_id)
