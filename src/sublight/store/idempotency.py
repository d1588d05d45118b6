"""Requests with an idempotency key: what the first one made, so that a repeated one gets the same answer.

Use inside the write transaction that does the work: ``find`` first; when it gives a subject, answer with that one;
otherwise do the work and ``remember`` it.
"""

from __future__ import annotations

import hashlib
import time as system_time

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert

from sublight.core.errors import InvalidInput
from sublight.store.tables import idempotency

KEPT_SECONDS = 24 * 3600.0
KEY_LENGTH_MAX = 255


def find(connection: Connection, key: str, body_hash: str, *, time: float | None = None) -> str | None:
    """What the first request with this key made, or None when this is the first (or the first in a day).

    Raises InvalidInput when the text is no key, or came before with another body.
    """
    query = select(idempotency.c.body_hash, idempotency.c.subject).where(
        idempotency.c.key == _stored(key), idempotency.c.created > _oldest_kept(time)
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    if row.body_hash != body_hash:
        raise InvalidInput("this idempotency key came before with another request; use a new key for a new request")
    return str(row.subject)


def remember(connection: Connection, key: str, body_hash: str, subject: str, *, time: float | None = None) -> None:
    """Keep what the request made (anew, when it had to make it again), for a day; older keys are forgotten on the way."""
    connection.execute(delete(idempotency).where(idempotency.c.created <= _oldest_kept(time)))
    created = system_time.time() if time is None else time
    row = {"key": _stored(key), "body_hash": body_hash, "subject": subject, "created": created}
    statement = insert(idempotency)
    new = {"subject": statement.excluded.subject, "created": statement.excluded.created}
    connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=new), row)


def _oldest_kept(time: float | None) -> float:
    return (system_time.time() if time is None else time) - KEPT_SECONDS


def _stored(key: str) -> str:
    # Keys are a client's own text: stored as a hash they have one length and can hold nothing that matters.
    if not key or len(key) > KEY_LENGTH_MAX or not key.isprintable():
        raise InvalidInput(f"an idempotency key has 1 to {KEY_LENGTH_MAX} printable characters, got {len(key)}")
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
