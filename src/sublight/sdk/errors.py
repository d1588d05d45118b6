"""The errors that the SDK raises for people to catch; ``SublightError`` is the base of all."""

from __future__ import annotations

from sublight.core.errors import (
    Conflict,
    InvalidInput,
    NameTaken,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    NotSupported,
    ServerUnavailable,
    StorageDamaged,
    StorageFull,
    SublightError,
    TooLarge,
    TooManyRequests,
    WorkspaceBusy,
)

__all__ = [
    "Conflict",
    "InvalidInput",
    "NameTaken",
    "NotAllowed",
    "NotAuthenticated",
    "NotFound",
    "NotSupported",
    "ServerUnavailable",
    "StorageDamaged",
    "StorageFull",
    "SublightError",
    "TooLarge",
    "TooManyRequests",
    "WorkspaceBusy",
]
