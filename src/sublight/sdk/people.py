"""Who may do what in a workspace, and the tokens by which programs prove who they act for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import quote

from sublight.core.errors import InvalidInput
from sublight.messages.people import (
    PersonRequest,
    PersonUpdate,
    PersonView,
    RoleName,
    TokenRequest,
    TokenResponse,
    TokenView,
)
from sublight.sdk.client import API, Client


class People:
    """The people of a workspace: ``add``, ``update``, ``list``, ``remove``."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def add(self, name: str, roles: Iterable[str]) -> PersonView:
        """Add a person; roles are reader, data scientist, compute operator and owner, and can be combined."""
        return self._client.post(f"{API}/people", PersonView, PersonRequest(name=name, roles=_roles(roles)))

    def update(self, name: str, roles: Iterable[str]) -> PersonView:
        """Give a person other roles."""
        return self._client.patch(self._path(name), PersonView, PersonUpdate(roles=_roles(roles)))

    def remove(self, name: str) -> None:
        """Take a person out; their tokens and sessions end at once."""
        self._client.delete(self._path(name), object)

    def list(self) -> list[PersonView]:
        """Everyone."""
        return self._client.get(f"{API}/people", list[PersonView])

    @staticmethod
    def _path(name: str) -> str:
        return f"{API}/people/{quote(name, safe='')}"


class Tokens:
    """The tokens of a workspace: ``create``, ``list``, ``revoke``."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def create(self, person: str, label: str = "", days_valid: float | None = None) -> TokenResponse:
        """A new token for a person; its secret is shown this once and cannot be read again."""
        request = TokenRequest(person=person, label=label, days_valid=days_valid)
        return self._client.post(f"{API}/tokens", TokenResponse, request)

    def revoke(self, token_id: str) -> None:
        """End a token at once."""
        self._client.delete(f"{API}/tokens/{quote(token_id, safe='')}", object)

    def list(self) -> list[TokenView]:
        """All tokens, without their secrets."""
        return self._client.get(f"{API}/tokens", list[TokenView])


def _roles(roles: Iterable[str]) -> list[RoleName]:
    if isinstance(roles, str):
        roles = [roles]
    known: Mapping[str, RoleName] = {
        "reader": "reader",
        "data scientist": "data scientist",
        "compute operator": "compute operator",
        "owner": "owner",
    }
    chosen = []
    for role in roles:
        if role not in known:
            raise InvalidInput(f"a role is one of {', '.join(known)}, got {role!r}")
        chosen.append(known[role])
    return chosen
