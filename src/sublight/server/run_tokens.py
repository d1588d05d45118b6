"""Run tokens: what a script shows to be let in while one attempt of its run is open.

Nothing of a token is stored. It is computed from a secret of the workspace and the attempt, so that the node's orders
can repeat it, and checked by computing it again. The time of placing is part of it: when a run is deleted and its id
used anew, an old token opens nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from sublight.server.secret_text import PREFIXES
from sublight.store.people import TokenKind

_PREFIX = PREFIXES[TokenKind.RUN]
_TOKEN = re.compile(_PREFIX + r"([0-9]{1,9})_([A-Za-z0-9][A-Za-z0-9._-]{0,63})_([0-9a-f]{64})")


class RunTokens:
    """Makes and checks the tokens of one workspace. ``secret`` is 256 random bits as text."""

    def __init__(self, secret: str) -> None:
        self._key = secret.encode()

    def issue(self, run_id: str, attempt: int, placed: float) -> str:
        """The token of an attempt that was placed at that time; the same one each time."""
        return f"{_PREFIX}{attempt}_{run_id}_{self._signature(run_id, attempt, placed)}"

    def is_genuine(self, token: str, placed: float) -> bool:
        """True when this is the token of the attempt that it names, placed at that time."""
        named = attempt_of(token)
        return named is not None and hmac.compare_digest(token, self.issue(*named, placed))

    def _signature(self, run_id: str, attempt: int, placed: float) -> str:
        message = f"{run_id}\0{attempt}\0{placed!r}"
        return hmac.new(self._key, message.encode(), hashlib.sha256).hexdigest()


def attempt_of(token: str) -> tuple[str, int] | None:
    """The run and the attempt that a text of this form speaks of, genuine or not; None for any other text."""
    found = _TOKEN.fullmatch(token)
    return (found.group(2), int(found.group(1))) if found else None
