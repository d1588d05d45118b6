"""``Datastore``: named places for files in the workspace."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from azureml._refusal import refuse
from azureml._translation import translated
from azureml.data._refused_names import DATABASE, HADOOP
from azureml.exceptions import UserErrorException

__all__ = ["Datastore"]

_log = logging.getLogger("azureml.core.datastore")
_NAME = re.compile(r"[A-Za-z0-9_]{1,255}")

# What a folder of the workspace calls itself when nobody said what it stands for.
_FIRST_ACCOUNT = "sublight"
# Every workspace of v1 had this file share beside its blob container; here it is made when it is asked for.
_FILE_SHARE = "workspacefilestore"


class Datastore:
    """A datastore by its name; the workspace's default one without a name.

    Every datastore is a folder of the workspace. ``register_azure_blob_container`` and its kin make an empty folder that
    keeps the names it had in Azure; the files are put into it once, by ``sublight datastore upload``.
    """

    def __new__(cls, workspace: Any, name: str | None = None) -> Any:
        return cls.get_default(workspace) if name is None else cls.get(workspace, name)

    def __init__(self, workspace: Any, name: str | None = None) -> None:
        """Not reached: what ``Datastore(...)`` gives is an object of another class."""

    @staticmethod
    @translated()
    def get(workspace: Any, datastore_name: str) -> Any:
        """The datastore of this name; UserErrorException when there is none."""
        from azureml.data._workspaces import sdk_of
        from sublight.sdk.errors import InvalidInput, NotFound

        datastores = sdk_of(workspace).datastores
        try:
            return _of_sdk(workspace, datastores.get(datastore_name))
        except (NotFound, InvalidInput) as error:
            if datastore_name == _FILE_SHARE:
                return _of_sdk(workspace, _file_share(datastores))
            raise _not_found(str(error)) from error

    @staticmethod
    @translated()
    def get_default(workspace: Any) -> Any:
        """The default datastore, ``workspaceblobstore`` at first."""
        from azureml.data._workspaces import sdk_of

        return _of_sdk(workspace, sdk_of(workspace).datastores.default())

    @staticmethod
    def register_azure_blob_container(
        workspace: Any,
        datastore_name: str,
        container_name: str,
        account_name: str,
        sas_token: str | None = None,
        account_key: str | None = None,
        protocol: str | None = None,
        endpoint: str | None = None,
        overwrite: bool = False,
        create_if_not_exists: bool = False,
        skip_validation: bool = False,
        blob_cache_timeout: int | None = None,
        grant_workspace_access: bool = False,
        subscription_id: str | None = None,
        resource_group: str | None = None,
    ) -> Any:
        """A folder that stands for a blob container; keys and tokens are not kept."""
        return _register(
            workspace,
            datastore_name,
            "AzureBlob",
            overwrite,
            container_name=container_name,
            account_name=account_name,
            protocol=protocol,
            endpoint=endpoint,
            subscription_id=subscription_id,
            resource_group=resource_group,
        )

    @staticmethod
    def register_azure_file_share(
        workspace: Any,
        datastore_name: str,
        file_share_name: str,
        account_name: str,
        sas_token: str | None = None,
        account_key: str | None = None,
        protocol: str | None = None,
        endpoint: str | None = None,
        overwrite: bool = False,
        create_if_not_exists: bool = False,
        skip_validation: bool = False,
    ) -> Any:
        """A folder that stands for a file share; keys and tokens are not kept."""
        return _register(
            workspace,
            datastore_name,
            "AzureFile",
            overwrite,
            container_name=file_share_name,
            account_name=account_name,
            protocol=protocol,
            endpoint=endpoint,
        )

    @staticmethod
    def register_azure_data_lake(
        workspace: Any,
        datastore_name: str,
        store_name: str,
        tenant_id: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        resource_url: str | None = None,
        authority_url: str | None = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        overwrite: bool = False,
        grant_workspace_access: bool = False,
    ) -> Any:
        """A folder that stands for a data lake; secrets are not kept."""
        return _register(
            workspace,
            datastore_name,
            "AzureDataLake",
            overwrite,
            store_name=store_name,
            tenant_id=tenant_id,
            client_id=client_id,
        )

    @staticmethod
    def register_azure_data_lake_gen2(
        workspace: Any,
        datastore_name: str,
        filesystem: str,
        account_name: str,
        tenant_id: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        resource_url: str | None = None,
        authority_url: str | None = None,
        protocol: str | None = None,
        endpoint: str | None = None,
        overwrite: bool = False,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        grant_workspace_access: bool = False,
    ) -> Any:
        """A folder that stands for a data lake; secrets are not kept."""
        return _register(
            workspace,
            datastore_name,
            "AzureDataLakeGen2",
            overwrite,
            container_name=filesystem,
            account_name=account_name,
            tenant_id=tenant_id,
            client_id=client_id,
        )

    @staticmethod
    def register_azure_sql_database(
        workspace: Any,
        datastore_name: str,
        server_name: str,
        database_name: str,
        tenant_id: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        resource_url: str | None = None,
        authority_url: str | None = None,
        endpoint: str | None = None,
        overwrite: bool = False,
        username: str | None = None,
        password: str | None = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        grant_workspace_access: bool = False,
        **kwargs: Any,
    ) -> NoReturn:
        """Refused: databases are not supported."""
        refuse("Datastore.register_azure_sql_database", DATABASE)

    @staticmethod
    def register_azure_postgre_sql(
        workspace: Any,
        datastore_name: str,
        server_name: str,
        database_name: str,
        user_id: str,
        user_password: str,
        port_number: int | None = None,
        endpoint: str | None = None,
        overwrite: bool = False,
        enforce_ssl: bool = True,
        **kwargs: Any,
    ) -> NoReturn:
        """Refused: databases are not supported."""
        refuse("Datastore.register_azure_postgre_sql", DATABASE)

    @staticmethod
    def register_azure_my_sql(
        workspace: Any,
        datastore_name: str,
        server_name: str,
        database_name: str,
        user_id: str,
        user_password: str,
        port_number: int | None = None,
        endpoint: str | None = None,
        overwrite: bool = False,
        **kwargs: Any,
    ) -> NoReturn:
        """Refused: databases are not supported."""
        refuse("Datastore.register_azure_my_sql", DATABASE)

    @staticmethod
    def register_dbfs(workspace: Any, datastore_name: str) -> NoReturn:
        """Refused: there is no Databricks."""
        refuse("Datastore.register_dbfs", HADOOP)

    @staticmethod
    def register_hdfs(
        workspace: Any,
        datastore_name: str,
        protocol: Any,
        namenode_address: str,
        hdfs_server_certificate: str,
        kerberos_realm: str,
        kerberos_kdc_address: str,
        kerberos_principal: str,
        kerberos_keytab: str | None = None,
        kerberos_password: str | None = None,
        overwrite: bool = False,
    ) -> NoReturn:
        """Refused: there is no Hadoop."""
        refuse("Datastore.register_hdfs", HADOOP)

    def set_as_default(self) -> None:
        """Make it the workspace's default datastore."""
        raise NotImplementedError("Datastore(...) gives an object of another class, whose method this is")

    def unregister(self) -> None:
        """Forget it; its files stay on the server's disk."""
        raise NotImplementedError("Datastore(...) gives an object of another class, whose method this is")


@translated()
def _register(workspace: Any, name: str, kind: str, overwrites: bool, **definition: Any) -> Any:
    from azureml.data._workspaces import sdk_of

    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UserErrorException(
            f"a datastore is named by letters, digits and underscores, at most 255 of them, got {name!r}"
        )
    kept = {key: value for key, value in definition.items() if value is not None}
    datastores = sdk_of(workspace).datastores
    there = next((one for one in datastores.list() if one.name == name), None)
    if there is not None and not overwrites:
        # As in the original, registering the same again is fine, and something else under the name is not.
        if there.kind != kind or dict(there.definition) != kept:
            raise UserErrorException(
                f"there is a datastore {name!r} already, of another kind or place; pass overwrite=True to replace it"
            )
        return _of_sdk(workspace, there)
    made = datastores.create(name, kind=kind, definition=kept, replaces=overwrites)
    _log.warning(
        "the datastore %s is here a folder of the workspace, not %s in Azure; put its files into it: "
        "sublight datastore upload %s FILE...",
        name,
        kept.get("container_name") or kept.get("store_name"),
        name,
    )
    return _of_sdk(workspace, made)


def _file_share(datastores: Any) -> Any:
    from sublight.sdk.errors import NameTaken

    try:
        return datastores.create(_FILE_SHARE, kind="AzureFile")
    except NameTaken:  # somebody else asked at the same time
        return datastores.get(_FILE_SHARE)


def _of_sdk(workspace: Any, datastore: Any) -> Any:
    """The v1 object for a datastore of the workspace, by what it was registered as."""
    definition: Mapping[str, Any] = datastore.definition or {}
    name = str(datastore.name)
    container = str(definition.get("container_name") or name)
    account = str(definition.get("account_name") or _FIRST_ACCOUNT)
    where: dict[str, Any] = {
        "protocol": definition.get("protocol"),
        "endpoint": definition.get("endpoint") or "core.windows.net",
    }
    who = {"tenant_id": definition.get("tenant_id"), "client_id": definition.get("client_id")}
    if datastore.kind == "AzureFile":
        from azureml.data.azure_storage_datastore import AzureFileDatastore

        return AzureFileDatastore(workspace, name, container, account, **where)
    if datastore.kind == "AzureDataLake":
        from azureml.data.azure_data_lake_datastore import AzureDataLakeDatastore

        return AzureDataLakeDatastore(workspace, name, str(definition.get("store_name") or name), **who)
    if datastore.kind == "AzureDataLakeGen2":
        from azureml.data.azure_data_lake_datastore import AzureDataLakeGen2Datastore

        return AzureDataLakeGen2Datastore(workspace, name, container, account, **who)
    from azureml.data.azure_storage_datastore import AzureBlobDatastore

    return AzureBlobDatastore(
        workspace,
        name,
        container,
        account,
        **where,
        subscription_id=definition.get("subscription_id"),
        resource_group=definition.get("resource_group"),
    )


def _not_found(sentence: str) -> UserErrorException:
    """The error for a datastore that is not there.

    The original let the error of its HTTP library through, and scripts catch it as ``msrest``'s HttpOperationError; where
    a script has loaded that package, the error is one of those as well.
    """
    import sys

    msrest = sys.modules.get("msrest.exceptions")
    http_error = getattr(msrest, "HttpOperationError", None)
    if not isinstance(http_error, type):
        return UserErrorException(sentence)
    made = type("DatastoreNotFound", (UserErrorException, http_error), {"__init__": UserErrorException.__init__})
    error: UserErrorException = made(sentence)
    return error
