"""Rows of people and of their secrets. A secret is stored as the SHA-256 of 256 random bits, never as itself."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from sublight.store.tables import people, tokens


class TokenKind(StrEnum):
    """What a secret opens: the API, the portal in a browser, the portal's door once, or a node's own calls.

    RUN, for the script of a run, is the one kind of which nothing is stored (``server.run_tokens``).
    """

    ACCESS = "access"
    SESSION = "session"
    LOGIN = "login"
    NODE = "node"
    RUN = "run"


def all_people(connection: Connection) -> list[Row[Any]]:
    """Everybody, by name."""
    return list(connection.execute(select(people).order_by(people.c.name)).all())


def find(connection: Connection, name: str) -> Row[Any] | None:
    """The row of a person, or None."""
    return connection.execute(select(people).where(people.c.name == name)).first()


def add(connection: Connection, name: str, roles: Iterable[str], now: float) -> None:
    """Store a new person."""
    connection.execute(insert(people), {"name": name, "roles": sorted(set(roles)), "created": now})


def set_roles(connection: Connection, name: str, roles: Iterable[str]) -> None:
    """Give a person these roles and no others."""
    connection.execute(update(people).where(people.c.name == name).values(roles=sorted(set(roles))))


def remove(connection: Connection, name: str) -> None:
    """Forget a person and every secret of theirs, so that a new person of the name inherits nothing."""
    connection.execute(delete(tokens).where(tokens.c.person == name))
    connection.execute(delete(people).where(people.c.name == name))


def add_token(
    connection: Connection,
    *,
    id: str,
    kind: TokenKind,
    hash: str,
    now: float,
    expires: float | None = None,
    person: str | None = None,
    node_id: str | None = None,
    label: str = "",
    csrf: str | None = None,
) -> None:
    """Store a secret by its hash; what has expired is removed on the way.

    A login code and a session carry ``came_from(id)`` of the secret that they were made with as their label.
    """
    connection.execute(delete(tokens).where(tokens.c.expires <= now))
    row = {
        "id": id,
        "kind": kind.value,
        "hash": hash,
        "person": person,
        "node_id": node_id,
        "label": label,
        "csrf": csrf,
        "created": now,
        "expires": expires,
    }
    connection.execute(insert(tokens), row)


def token_by_hash(connection: Connection, hash: str) -> Row[Any] | None:
    """The secret's row joined with the roles of its person (None for a node's), whether or not it has expired."""
    return connection.execute(_WITH_ROLES.where(tokens.c.hash == hash)).first()


def token_by_id(connection: Connection, token_id: str) -> Row[Any] | None:
    """The same by the secret's id."""
    return connection.execute(_WITH_ROLES.where(tokens.c.id == token_id)).first()


def access_tokens(connection: Connection, person: str | None = None) -> list[Row[Any]]:
    """The access tokens of a person, or of everybody, oldest first."""
    query = select(tokens).where(tokens.c.kind == TokenKind.ACCESS.value)
    if person is not None:
        query = query.where(tokens.c.person == person)
    return list(connection.execute(query.order_by(tokens.c.created, tokens.c.id)).all())


def find_access_token(connection: Connection, token_id: str) -> Row[Any] | None:
    """The row of an access token by its id, or None."""
    query = select(tokens).where(tokens.c.id == token_id, tokens.c.kind == TokenKind.ACCESS.value)
    return connection.execute(query).first()


def came_from(token_id: str) -> str:
    """The label of a login code or session that was opened with the secret ``token_id``."""
    return f"from {token_id}"


def remove_token(connection: Connection, token_id: str) -> None:
    """Forget a secret, and the login codes and sessions that were opened with it; silent when it is gone already."""
    opened = (tokens.c.label == came_from(token_id)) & tokens.c.kind.in_([TokenKind.LOGIN, TokenKind.SESSION])
    connection.execute(delete(tokens).where((tokens.c.id == token_id) | opened))


def remove_node_tokens(connection: Connection, node_id: str) -> None:
    """Forget every secret of a node."""
    connection.execute(delete(tokens).where(tokens.c.node_id == node_id))


_WITH_ROLES = select(tokens, people.c.roles).outerjoin(people, people.c.name == tokens.c.person)
