"""The tree of errors that Sublight raises for people to catch.

A class exists when a caller acts differently on it. Each carries one sentence: what was expected, what came, what to
do. ``code`` travels over HTTP; the server maps it to a status once (``server/errors.py``) and the SDK turns it back
into the same class.

SublightError
├── InvalidInput        the request itself is wrong; sending it again does not help
├── NotFound            no such run, cluster, file … in this workspace
├── NameTaken           the name exists already
├── Conflict            not possible in the present state (cluster in use, run has ended, stale attempt)
├── NotAllowed          the caller's role does not permit it
├── NotAuthenticated    no valid token or session came with the request
├── TooLarge            over a stated limit
├── TooManyRequests     too often in a short time; wait and try again
├── StorageFull         the disk behind the workspace is full; nothing was stored
├── StorageDamaged      the workspace's own files cannot be read; a backup is needed
├── ServerUnavailable   no answer from the server; trying again later may help
├── WorkspaceBusy       another server already owns this workspace
└── NotSupported        recognised, but not built
"""

from __future__ import annotations


class SublightError(Exception):
    """Base of all errors that Sublight raises on purpose; ``str(error)`` is one sentence for people."""

    code = "error"


class InvalidInput(SublightError):
    """The request is wrong in itself; it must be changed before it is sent again."""

    code = "invalid_input"


class NotFound(SublightError):
    """The named thing does not exist in this workspace."""

    code = "not_found"


class NameTaken(SublightError):
    """A thing of this name exists already."""

    code = "name_taken"


class Conflict(SublightError):
    """The thing exists, but its present state does not allow the request."""

    code = "conflict"


class NotAllowed(SublightError):
    """The caller is known, but the caller's role does not permit the request."""

    code = "not_allowed"


class NotAuthenticated(SublightError):
    """The request carried no token or session that is valid now."""

    code = "not_authenticated"


class TooLarge(SublightError):
    """The request is over a stated limit."""

    code = "too_large"


class TooManyRequests(SublightError):
    """The caller asked too often; the same request may succeed after ``retry_after_seconds``."""

    code = "too_many"

    def __init__(self, message: str, retry_after_seconds: float = 60.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class StorageFull(SublightError):
    """The disk behind the workspace is full; nothing of the request was stored."""

    code = "storage_full"


class StorageDamaged(SublightError):
    """The workspace's own files are not what was written; a person must put back a backup."""

    code = "storage_damaged"


class ServerUnavailable(SublightError):
    """The server did not answer; the same request may succeed later."""

    code = "server_unavailable"


class WorkspaceBusy(SublightError):
    """Another server already owns this workspace."""

    code = "workspace_busy"


class NotSupported(SublightError):
    """The request is understood, but this version does not offer it."""

    code = "not_supported"


def error_class_of(code: str) -> type[SublightError]:
    """The class whose ``code`` came over HTTP; the base class for a code that this version does not know."""
    return _CLASSES.get(code, SublightError)


_CLASSES = {cls.code: cls for cls in SublightError.__subclasses__()}
