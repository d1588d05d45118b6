"""What a caller sees switched on in the portal. The server decides again on every request; this is courtesy only."""

from __future__ import annotations

from sublight.server.caller import Caller
from sublight.server.permissions import Permission, is_allowed


def may_cancel(caller: Caller | None) -> bool:
    """True when the caller's roles let them cancel runs."""
    return caller is not None and is_allowed(caller.roles, Permission.SUBMIT)


def whom_to_ask_to_cancel(caller: Caller | None) -> str:
    """The sentence beside a cancel button that is off."""
    roles = ", ".join(sorted(caller.roles)) if caller is not None and caller.roles else "no role"
    return f"You are here as {roles}; ask a data scientist or an owner of this workspace to cancel it."
