"""People, their roles and their secrets: tokens for programs, sessions for browsers, one-time codes, nodes' tokens."""

from __future__ import annotations

import contextlib
import hashlib
import math
import re
import secrets
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row

from sublight.core.errors import (
    Conflict,
    InvalidInput,
    NameTaken,
    NotAllowed,
    NotFound,
)
from sublight.messages.people import (
    AuditEntry,
    LoginCode,
    PersonRequest,
    PersonUpdate,
    PersonView,
    TokenRequest,
    TokenResponse,
    TokenView,
)
from sublight.server.caller import Caller, Callers, WrongLogins
from sublight.server.clock import Clock
from sublight.server.permissions import Role
from sublight.server.secret_text import hash_of, new_id, new_secret
from sublight.store import audit, idempotency
from sublight.store import people as rows
from sublight.store.database import Database
from sublight.store.people import TokenKind

SESSION_SECONDS = 12 * 3600.0
LOGIN_CODE_SECONDS = 600
DAYS_VALID_MAX = 3650.0
_LABEL_LENGTH_MAX = 200
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")


class People:
    """The verbs on people; ``callers`` answers "whose secret is this?" for every request.

    Every change is in the audit log. A removed person, a revoked token and a changed role act at once in this server
    process, which is the only one of the workspace.
    """

    def __init__(self, database: Database, clock: Clock, callers: Callers) -> None:
        self._database = database
        self._clock = clock
        self.callers = callers
        self._wrong_logins = WrongLogins(clock)

    # -- people -------------------------------------------------------------------------------------------------------

    def ensure_owner(self, name: str = "owner", present: str = "") -> str:
        """A token of an owner: ``present`` when it is one still, else a fresh one.

        Called when the server starts, by whoever may write the workspace's folder; makes the first owner.
        """
        caller = self.callers.find(present, TokenKind.ACCESS)
        if caller is not None and Role.OWNER in caller.roles:
            return present
        actor = Caller(name="the server")
        with self._changing() as connection:
            owners = [row.name for row in rows.all_people(connection) if Role.OWNER in row.roles]
            if not owners:
                person = rows.find(connection, name)
                if person is None:
                    rows.add(connection, name, [Role.OWNER.value], self._clock.now())
                else:
                    rows.set_roles(connection, name, [*person.roles, Role.OWNER.value])
                owners = [name]
                self._note(connection, actor, "add person", f"person:{name}", {"roles": [Role.OWNER.value]})
            owner = name if name in owners else owners[0]
            token = self._add_token(connection, owner, "made by the server at its start", None)
            self._note(connection, actor, "make token", f"token:{token.id}", {"person": owner})
        return token.secret

    def list(self) -> Sequence[PersonView]:
        """Everybody, by name."""
        with self._database.read() as connection:
            return [_person_view(row) for row in rows.all_people(connection)]

    def add(self, caller: Caller, request: PersonRequest, idempotency_key: str | None = None) -> PersonView:
        """Add a person with these roles; they come in with a token that an owner makes for them.

        The same key with the same request gives the same person again, instead of NameTaken.
        """
        if not _NAME.fullmatch(request.name):
            raise InvalidInput(
                "a person's name has 1 to 64 letters, digits and . _ @ + - and begins with a letter or digit, got "
                f"{request.name[:80]!r}"
            )
        roles = _checked_roles(request.roles)
        once = _Once(caller, idempotency_key, request, self._clock.now())
        with self._changing() as connection:
            if once.earlier(connection) is not None:
                return _person_view(_person(connection, request.name))
            if rows.find(connection, request.name) is not None:
                raise NameTaken(
                    f"there is a person {request.name!r} already; change their roles or choose another name"
                )
            rows.add(connection, request.name, roles, self._clock.now())
            self._note(connection, caller, "add person", f"person:{request.name}", {"roles": roles})
            once.remember(connection, f"person:{request.name}")
            return _person_view(_person(connection, request.name))

    def update(self, caller: Caller, name: str, request: PersonUpdate) -> PersonView:
        """Give a person these roles in place of theirs; Conflict when that would leave no owner."""
        roles = _checked_roles(request.roles)
        with self._changing() as connection:
            before = _person(connection, name)
            if Role.OWNER not in roles:
                _check_not_last_owner(connection, name)
            rows.set_roles(connection, name, roles)
            self._note(connection, caller, "change roles", f"person:{name}", {"before": before.roles, "after": roles})
            return _person_view(_person(connection, name))

    def remove(self, caller: Caller, name: str) -> None:
        """Remove a person with all their tokens and sessions; Conflict when it is the last owner."""
        with self._changing() as connection:
            before = _person(connection, name)
            _check_not_last_owner(connection, name)
            rows.remove(connection, name)
            self._note(connection, caller, "remove person", f"person:{name}", {"before": before.roles})

    # -- tokens -------------------------------------------------------------------------------------------------------

    def create_token(self, caller: Caller, request: TokenRequest, idempotency_key: str | None = None) -> TokenResponse:
        """Make a token for oneself, or as an owner for anybody; its secret is shown this once.

        Asked again with the same key (the answer was lost, and the secret with it), a new one takes its place.
        """
        if request.person != caller.name and Role.OWNER not in caller.roles:
            raise NotAllowed(
                f"making a token for another person needs the role {Role.OWNER}; you ({caller.name}) can make tokens "
                "for yourself. Ask an owner of the workspace."
            )
        if len(request.label) > _LABEL_LENGTH_MAX:
            raise InvalidInput(f"a token's label has at most {_LABEL_LENGTH_MAX} characters, got {len(request.label)}")
        days = request.days_valid
        if days is not None and not 0 < days <= DAYS_VALID_MAX:
            raise InvalidInput(f"days_valid must be above 0 and at most {DAYS_VALID_MAX:g}, got {days:g}")
        once = _Once(caller, idempotency_key, request, self._clock.now())
        with self._changing() as connection:
            _person(connection, request.person)
            once.remove_earlier_token(connection)
            token = self._add_token(connection, request.person, request.label, days)
            once.remember(connection, token.id)
            detail = {"person": request.person, "label": request.label, "days_valid": days}
            self._note(connection, caller, "make token", f"token:{token.id}", detail)
        return token

    def tokens(self, caller: Caller) -> Sequence[TokenView]:
        """The caller's own tokens; an owner sees everybody's. Secrets are never shown again."""
        person = None if Role.OWNER in caller.roles else caller.name
        with self._database.read() as connection:
            return [_token_view(row) for row in rows.access_tokens(connection, person)]

    def revoke_token(self, caller: Caller, token_id: str) -> None:
        """Revoke a token of one's own, or as an owner anybody's; to everybody else there is no such token."""
        with self._changing() as connection:
            row = rows.find_access_token(connection, token_id)
            if row is None or (row.person != caller.name and Role.OWNER not in caller.roles):
                raise NotFound(f"there is no token {token_id[:64]!r} of yours")
            rows.remove_token(connection, token_id)
            self._note(connection, caller, "revoke token", f"token:{token_id}", {"person": row.person})

    def issue_node_token(self, connection: Connection, node_id: str) -> str:
        """A secret for a node's own calls, made in the caller's write transaction."""
        secret = new_secret(TokenKind.NODE)
        rows.add_token(
            connection, id=new_id(), kind=TokenKind.NODE, hash=hash_of(secret), now=self._clock.now(), node_id=node_id
        )
        return secret

    def revoke_node_tokens(self, connection: Connection, node_id: str) -> None:
        """Shut a node out as soon as the caller's write transaction is committed; silent when it has no token."""
        rows.remove_node_tokens(connection, node_id)
        self._database.after_commit(self.callers.forget)

    # -- the portal's door --------------------------------------------------------------------------------------------

    def login_code(self, caller: Caller, idempotency_key: str | None = None) -> LoginCode:
        """A link that opens the portal as the caller, once, within ten minutes.

        Asked again with the same key, a new one takes the place of the one whose answer was lost.
        """
        secret = new_secret(TokenKind.LOGIN)
        code_id = new_id()
        now = self._clock.now()
        once = _Once(caller, idempotency_key, "login code", now)
        with self._changing() as connection:
            once.remove_earlier_token(connection)
            once.remember(connection, code_id)
            rows.add_token(
                connection,
                id=code_id,
                kind=TokenKind.LOGIN,
                hash=hash_of(secret),
                now=now,
                expires=now + LOGIN_CODE_SECONDS,
                person=caller.name,
                label=rows.came_from(caller.token_id),
            )
            self._note(connection, caller, "make login code", f"person:{caller.name}", {})
        return LoginCode(path=f"/login?code={secret}", seconds_valid=LOGIN_CODE_SECONDS)

    def login(self, code_or_token: str) -> tuple[str, float]:
        """Open a session with a one-time code or a token: its secret, for the cookie, and when it expires.

        Raises NotAuthenticated for anything that is not valid now, and TooManyRequests instead when that has happened
        too often in the last minute. What is valid always opens: nobody can lock people out by failing on purpose,
        and 256 random bits are not guessed at any speed.
        """
        caller = self.callers.find(code_or_token, TokenKind.ACCESS, TokenKind.LOGIN)
        if caller is None:
            raise self._wrong_logins.refusal()
        secret = new_secret(TokenKind.SESSION)
        now = self._clock.now()
        expires = now + SESSION_SECONDS
        with self._changing() as connection:
            # Looked at again inside the transaction: of two who come with one code at once, one gets in.
            used = rows.token_by_hash(connection, hash_of(code_or_token))
            if used is None:
                raise self._wrong_logins.refusal()
            if used.kind == TokenKind.LOGIN.value:
                rows.remove_token(connection, used.id)
                origin = used.label
            else:
                origin = rows.came_from(used.id)
                expires = min(expires, used.expires or math.inf)
            rows.add_token(
                connection,
                id=new_id(),
                kind=TokenKind.SESSION,
                hash=hash_of(secret),
                now=now,
                expires=expires,
                person=caller.name,
                label=origin,
                csrf=secrets.token_urlsafe(32),
            )
            self._note(connection, caller, "sign in", f"person:{caller.name}", {})
        return secret, expires

    def logout(self, session_secret: str) -> None:
        """End a session; silent when it has ended already."""
        caller = self.callers.find(session_secret, TokenKind.SESSION)
        if caller is None:
            return
        with self._changing() as connection:
            rows.remove_token(connection, caller.token_id)
            self._note(connection, caller, "sign out", f"person:{caller.name}", {})

    # -- audit --------------------------------------------------------------------------------------------------------

    def audit(self, before: int | None = None, limit: int = 100) -> Sequence[AuditEntry]:
        """What was done, newest first."""
        with self._database.read() as connection:
            return [
                AuditEntry(
                    number=row.number,
                    time=row.time,
                    person=row.person,
                    roles=row.roles,
                    action=row.action,
                    subject=row.subject,
                    detail=row.detail,
                )
                for row in audit.page(connection, before=before, limit=limit)
            ]

    def note(self, caller: Caller, action: str, subject: str) -> None:
        """Put an act into the audit log that changes no row by itself."""
        with self._database.write() as connection:
            self._note(connection, caller, action, subject, {})

    # -- shared -------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _changing(self) -> Iterator[Connection]:
        """A write transaction after which no remembered caller is believed any more."""
        with self._database.write() as connection:
            self._database.after_commit(self.callers.forget)
            yield connection

    def _note(self, connection: Connection, actor: Caller, action: str, subject: str, detail: dict[str, Any]) -> None:
        audit.append(connection, actor, action=action, subject=subject, detail=detail, time=self._clock.now())

    def _add_token(self, connection: Connection, person: str, label: str, days_valid: float | None) -> TokenResponse:
        secret = new_secret(TokenKind.ACCESS)
        token_id = new_id()
        now = self._clock.now()
        rows.add_token(
            connection,
            id=token_id,
            kind=TokenKind.ACCESS,
            hash=hash_of(secret),
            now=now,
            expires=None if days_valid is None else now + days_valid * 86_400,
            person=person,
            label=label,
        )
        return TokenResponse(id=token_id, secret=secret)


class _Once:
    """A request with an idempotency key, if it has one: what the same request made before, and what it makes now."""

    def __init__(self, caller: Caller, key: str | None, request: object, now: float) -> None:
        # Keys are each person's own: nobody can ask for somebody else's answer by guessing a key.
        self._key = f"{caller.name} {key}" if key is not None else None
        self._body_hash = hashlib.sha256(msgspec.json.encode(request)).hexdigest()
        self._now = now

    def earlier(self, connection: Connection) -> str | None:
        """What it made the first time; None when this is the first time."""
        if self._key is None:
            return None
        return idempotency.find(connection, self._key, self._body_hash, time=self._now)

    def remove_earlier_token(self, connection: Connection) -> None:
        """Remove the token that it made before: its secret went with the answer that nobody got."""
        earlier = self.earlier(connection)
        if earlier is not None:
            rows.remove_token(connection, earlier)

    def remember(self, connection: Connection, subject: str) -> None:
        """Note what it made now."""
        if self._key is not None:
            idempotency.remember(connection, self._key, self._body_hash, subject, time=self._now)


def _person(connection: Connection, name: str) -> Row[Any]:
    row = rows.find(connection, name)
    if row is None:
        raise NotFound(f"there is no person {name[:80]!r} in this workspace")
    return row


def _checked_roles(roles: Sequence[str]) -> list[str]:
    known = [role.value for role in Role]
    for role in roles:
        if role not in known:
            raise InvalidInput(f"there is no role {role!r}; the roles are {', '.join(known)}")
    if not roles:
        raise InvalidInput(f"a person needs at least one role; the roles are {', '.join(known)}")
    return sorted(set(roles))


def _check_not_last_owner(connection: Connection, name: str) -> None:
    owners = [row.name for row in rows.all_people(connection) if Role.OWNER in row.roles]
    if owners == [name]:
        raise Conflict(f"{name} is the last owner of the workspace; make somebody else an owner first")


def _person_view(row: Row[Any]) -> PersonView:
    return PersonView(name=row.name, roles=row.roles, created=row.created)


def _token_view(row: Row[Any]) -> TokenView:
    return TokenView(id=row.id, person=row.person, label=row.label, created=row.created, expires=row.expires)
