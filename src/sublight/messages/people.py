"""The workspace, who may do what in it, and what was done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

RoleName = Literal["reader", "data scientist", "compute operator", "owner"]


@dataclass(frozen=True, kw_only=True)
class WorkspaceView:
    """The workspace that a server holds, and who the caller is in it.

    ``lease_seconds``: how long nodes go on with their runs while the server is away. ``environments``: what programs that
    describe an environment should have (see ``server/settings``).
    """

    id: str
    name: str
    version: str
    caller: str
    roles: list[str]
    started: float
    lease_seconds: float = 60.0
    environments: str = "current"


@dataclass(frozen=True, kw_only=True)
class PersonRequest:
    """A person to add; roles can be combined."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    name: str
    roles: list[RoleName]


@dataclass(frozen=True, kw_only=True)
class PersonUpdate:
    """New roles of a person."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    roles: list[RoleName]


@dataclass(frozen=True, kw_only=True)
class PersonView:
    """A person of the workspace."""

    name: str
    roles: list[str]
    created: float


@dataclass(frozen=True, kw_only=True)
class TokenRequest:
    """A token to make for a person."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    person: str
    label: str = ""
    days_valid: float | None = None


@dataclass(frozen=True, kw_only=True)
class TokenResponse:
    """A fresh token; ``secret`` is shown this once and stored only as a hash."""

    id: str
    secret: str


@dataclass(frozen=True, kw_only=True)
class TokenView:
    """A token without its secret."""

    id: str
    person: str
    label: str
    created: float
    expires: float | None


@dataclass(frozen=True, kw_only=True)
class LoginCode:
    """A code that opens the portal once within ``seconds_valid``; ``path`` is the portal's address for it."""

    path: str
    seconds_valid: int


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """One act that changed something: who, in which roles, did what to what."""

    number: int
    time: float
    person: str
    roles: list[str]
    action: str
    subject: str
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ErrorBody:
    """The body of every refused request: the class of the error and one sentence."""

    code: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Change:
    """A hint sent over SSE: something about ``subject`` (``run:ID``, ``cluster:NAME``, ``sweep:ID``) is new."""

    number: int
    subject: str
