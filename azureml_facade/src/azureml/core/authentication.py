"""Logins of the SDK v1. All of them can be made; who the caller is, says the Sublight token and nothing else.

Nothing here goes to the network: no browser opens, and secrets that a script gives are kept in the object and sent
nowhere.
"""

from __future__ import annotations

import enum
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from azureml._refusal import refuse
from azureml.exceptions import AuthenticationException

module_logger = logging.getLogger(__name__)

# A Sublight token does not end by itself; who asks for an end is told one that is far enough.
_VALID_SECONDS = 3600


class AccessToken(NamedTuple):
    """A token, and until when it holds (seconds since 1970)."""

    token: str
    expires_on: int


class Audience(enum.Enum):
    """For which of Azure's services a token was meant."""

    ARM = "arm"
    AZUREML = "azureml"


class AbstractAuthentication(ABC):
    """What all logins have in common. ``cloud`` is accepted and not used."""

    def __init__(self, cloud: str | None = None) -> None:
        self._cloud = cloud
        module_logger.debug("%s is accepted; the Sublight token is used", type(self).__name__)

    def get_authentication_header(self) -> dict[str, str]:
        """The header for requests to the Sublight server: ``{"Authorization": "Bearer …"}``.

        The token in it opens the workspace: send it nowhere else.
        """
        return {"Authorization": f"Bearer {self._token()}"}

    def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        """The token, with a time an hour from now."""
        return AccessToken(self._token(), int(time.time()) + _VALID_SECONDS)

    def signed_session(self, session: Any = None) -> Any:
        """``session`` (a new one of the package ``requests``) with the header set."""
        if session is None:
            try:
                import requests  # type: ignore[import-untyped,unused-ignore]
            except ModuleNotFoundError:
                refuse(
                    f"{type(self).__name__}.signed_session",
                    "it needs the package requests, which is not installed; give it a session, or install requests",
                )
            session = requests.Session()
        session.headers.update(self.get_authentication_header())
        return session

    @abstractmethod
    def _token(self) -> str: ...


class _SublightAuthentication(AbstractAuthentication):
    """A login whose token is that of the Sublight workspace of the present project."""

    def _token(self) -> str:
        from sublight.sdk.errors import SublightError
        from sublight.sdk.workspace import open_client

        try:
            return open_client(starts_server=False).endpoint.token
        except SublightError as error:
            raise AuthenticationException(f"there is no Sublight token: {error}", inner_exception=error) from error


class InteractiveLoginAuthentication(_SublightAuthentication):
    """What the original asked for in a browser; nothing opens."""

    def __init__(self, force: bool = False, tenant_id: str | None = None, cloud: str | None = None) -> None:
        super().__init__(cloud)
        self._tenant_id = tenant_id


class AzureCliAuthentication(_SublightAuthentication):
    """The login of the Azure command line; it need not be installed."""

    def __init__(self, cloud: str | None = None) -> None:
        super().__init__(cloud)


class MsiAuthentication(_SublightAuthentication):
    """The identity of a machine in Azure."""

    def __init__(self, cloud: str | None = None, **kwargs: Any) -> None:
        super().__init__(cloud)


class ServicePrincipalAuthentication(_SublightAuthentication):
    """The login of a program. Its password is kept in this object and used for nothing."""

    def __init__(
        self,
        tenant_id: str,
        service_principal_id: str,
        service_principal_password: str,
        cloud: str = "AzureCloud",
        _enable_caching: bool = True,
    ) -> None:
        super().__init__(cloud)
        self._tenant_id = tenant_id
        self._service_principal_id = service_principal_id
        self._service_principal_password = service_principal_password


class ArmTokenAuthentication(AbstractAuthentication):
    """A token that the caller has; it is what the header holds, and Sublight does not ask for it."""

    def __init__(self, arm_access_token: str, cloud: str | None = None) -> None:
        super().__init__(cloud)
        self._arm_access_token = arm_access_token

    def update_arm_access_token(self, new_arm_access_token: str) -> None:
        """Use another token from now on."""
        self._arm_access_token = new_arm_access_token

    def _token(self) -> str:
        return self._arm_access_token


class TokenAuthentication(AbstractAuthentication):
    """A token that a function of the caller gives, for an ``Audience``; Sublight does not ask for it."""

    def __init__(self, get_token_for_audience: Callable[..., str], cloud: str | None = None) -> None:
        super().__init__(cloud)
        self._get_token_for_audience = get_token_for_audience

    def get_token(self, audience: Audience = Audience.ARM) -> str:  # type: ignore[override]
        """What the function gives for this audience."""
        return self._get_token_for_audience(audience)

    def _token(self) -> str:
        return self.get_token()


class AzureMLTokenAuthentication(AbstractAuthentication):
    """The token of a run; Sublight's own reaches a run by its environment."""

    def __init__(
        self,
        azureml_access_token: str,
        expiry_time: datetime | None = None,
        host: str | None = None,
        subscription_id: str | None = None,
        resource_group_name: str | None = None,
        workspace_name: str | None = None,
        experiment_name: str | None = None,
        run_id: str | None = None,
        user_email: str | None = None,
        experiment_id: str | None = None,
        cloud: str = "AzureCloud",
    ) -> None:
        super().__init__(cloud)
        self._run_token = azureml_access_token
        self._expiry_time = expiry_time

    @classmethod
    def create(
        cls,
        azureml_access_token: str,
        expiry_time: datetime | None,
        host: str | None,
        subscription_id: str | None,
        resource_group_name: str | None,
        workspace_name: str | None,
        experiment_name: str | None,
        run_id: str | None,
        user_email: str | None = None,
        experiment_id: str | None = None,
    ) -> AzureMLTokenAuthentication:
        """One with these values."""
        return cls(
            azureml_access_token,
            expiry_time,
            host,
            subscription_id,
            resource_group_name,
            workspace_name,
            experiment_name,
            run_id,
            user_email,
            experiment_id,
        )

    @property
    def token(self) -> str:
        """The token."""
        return self._run_token

    @property
    def expiry_time(self) -> datetime | None:
        """Until when it holds."""
        return self._expiry_time

    def set_token(self, token: str, expiry_time: datetime | None) -> None:
        """Use another token from now on."""
        self._run_token = token
        self._expiry_time = expiry_time

    def _token(self) -> str:
        return self._run_token
