"""Who makes a request: from the secret that came with it to a person, a node or the script of a run."""

from __future__ import annotations

import hmac
import math
import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from sublight.core.errors import NotAuthenticated, SublightError, TooManyRequests
from sublight.server.clock import Clock
from sublight.server.run_tokens import RunTokens, attempt_of
from sublight.server.secret_text import SECRET_LENGTH_MAX, hash_of
from sublight.store import people as rows
from sublight.store import runs as run_rows
from sublight.store.database import Database
from sublight.store.people import TokenKind

_CACHE_SECONDS = 2.0
_CACHE_SIZE_MAX = 10_000
_WRONG_LOGINS_MAX = 10
_WRONG_LOGINS_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A person by token or session, a node by its own token, or a script by the token of its run.

    ``csrf`` is empty unless the caller came by a session in a browser; then it must accompany every change.
    ``node_id`` is None for people. ``token_id`` names the token or session, never its secret. ``run_id`` is set for the
    script of a run, which acts for the person who submitted it, and ``attempt`` is the attempt whose token it has.
    """

    name: str
    roles: frozenset[str] = frozenset()
    csrf: str = ""
    node_id: str | None = None
    token_id: str = ""
    run_id: str | None = None
    attempt: int = 0


class Callers:
    """The answer to "whose secret is this?", remembered for two seconds so that most requests need no query.

    ``forget`` makes every change of people, roles and tokens act at once. Safe to use from several threads.
    """

    def __init__(self, database: Database, clock: Clock, run_tokens: RunTokens) -> None:
        self._database = database
        self._clock = clock
        self._run_tokens = run_tokens
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}
        self._generation = 0

    def cached(self, secret: str, *kinds: TokenKind) -> Caller | None:
        """What ``find`` would answer when that is fresh in memory, else None; never touches the disk."""
        known = self._known.get(hash_of(secret))
        if known is None or known.kind not in kinds:
            return None
        is_fresh = self._clock.monotonic() < known.until and self._clock.now() < known.expires
        return known.caller if is_fresh else None

    def find(self, secret: str, *kinds: TokenKind) -> Caller | None:
        """Whose secret this is, when it is one of these kinds and valid now; else None."""
        if not secret or len(secret) > SECRET_LENGTH_MAX:
            return None
        cached = self.cached(secret, *kinds)
        if cached is not None:
            return cached
        if TokenKind.RUN in kinds:
            caller = self._find_run(secret)
            if caller is not None:
                return caller
        hash = hash_of(secret)
        generation = self._generation
        with self._database.read() as connection:
            row = rows.token_by_hash(connection, hash)
        # The lookup is by hash, so its timing tells nothing about a secret; the comparison guards against a query that
        # somebody changes one day.
        if row is None or not hmac.compare_digest(row.hash, hash):
            return None
        kind = TokenKind(row.kind)
        expires = math.inf if row.expires is None else float(row.expires)
        if kind not in kinds or self._clock.now() >= expires:
            return None
        assert kind is not TokenKind.SESSION or row.csrf, "a session without a CSRF token would be open to other sites"
        caller = Caller(
            name=row.person if row.person is not None else f"node {row.node_id}",
            roles=frozenset(row.roles or ()),
            csrf=row.csrf or "",
            node_id=row.node_id,
            token_id=row.id,
        )
        with self._lock:
            # An answer that was read before a change must not be remembered after it.
            if generation == self._generation:
                if len(self._known) >= _CACHE_SIZE_MAX:
                    self._known.clear()
                self._known[hash] = _Known(self._clock.monotonic() + _CACHE_SECONDS, expires, kind, caller)
        return caller

    def _find_run(self, secret: str) -> Caller | None:
        """The caller by a run token. Never remembered: it must be worth nothing from the moment its attempt closes."""
        named = attempt_of(secret)
        if named is None:
            return None
        with self._database.read() as connection:
            attempt = run_rows.attempt(connection, *named)
            if attempt is None or not self._run_tokens.is_genuine(secret, attempt.placed):
                return None
            return _caller_of_attempt(connection, attempt)

    def is_valid(self, caller: Caller) -> bool:
        """True while the token or session of a caller is valid and unchanged; long streams ask every few seconds."""
        with self._database.read() as connection:
            if caller.run_id is not None:
                attempt = run_rows.attempt(connection, caller.run_id, caller.attempt)
                return attempt is not None and _caller_of_attempt(connection, attempt) == caller
            row = rows.token_by_id(connection, caller.token_id)
        if row is None or (row.expires is not None and self._clock.now() >= row.expires):
            return False
        return frozenset(row.roles or ()) == caller.roles

    def forget(self) -> None:
        """Believe nothing that was read before now."""
        with self._lock:
            self._generation += 1
            self._known.clear()


def _caller_of_attempt(connection: Connection, attempt: Any) -> Caller | None:
    """Who acts by the token of this attempt: whoever submitted the run, with the roles that they have now."""
    if not attempt.is_open:
        return None
    person = rows.find(connection, run_rows.get(connection, attempt.run_id).created_by)
    if person is None:
        return None
    return Caller(
        name=person.name, roles=frozenset(person.roles), run_id=str(attempt.run_id), attempt=int(attempt.number)
    )


@dataclass(frozen=True, slots=True)
class _Known:
    until: float
    expires: float
    kind: TokenKind
    caller: Caller


class WrongLogins:
    """Counts wrong sign-ins; past ten within a minute the answer is "wait" instead of "wrong"."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._times: deque[float] = deque(maxlen=_WRONG_LOGINS_MAX)

    def refusal(self) -> SublightError:
        """The error for one more wrong sign-in."""
        now = self._clock.monotonic()
        with self._lock:
            is_full = len(self._times) == _WRONG_LOGINS_MAX
            wait = self._times[0] + _WRONG_LOGINS_SECONDS - now if is_full else 0.0
            if wait <= 0:
                self._times.append(now)
        if wait <= 0:
            return NotAuthenticated(
                "this token or code is not valid (any more); `sublight up` prints a fresh link to the portal"
            )
        return TooManyRequests(
            f"there were {_WRONG_LOGINS_MAX} wrong sign-ins within a minute; wait {math.ceil(wait)} seconds", wait
        )
