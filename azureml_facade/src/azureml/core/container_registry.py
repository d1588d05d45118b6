"""Where container images would be fetched from. Accepted and kept; runs use no images here."""

from __future__ import annotations

from azureml._base_sdk_common.abstract_run_config_element import Field, _AbstractRunConfigElement


class RegistryIdentity(_AbstractRunConfigElement):
    """The identity that a registry would be asked with."""

    _fields = (Field("resource_id", "resourceId"), Field("client_id", "clientId"))

    def __init__(self) -> None:
        self.resource_id: str | None = None
        self.client_id: str | None = None
        self._initialized = True


class ContainerRegistry(_AbstractRunConfigElement):
    """A registry's address and how to log in to it."""

    _fields = (
        Field("address", "address"),
        Field("username", "username"),
        Field("password", "password"),
        Field("registry_identity", "registryIdentity", RegistryIdentity),
    )

    def __init__(self) -> None:
        self.address: str | None = None
        self.username: str | None = None
        self.password: str | None = None
        self.registry_identity: RegistryIdentity | None = None
        self._initialized = True
