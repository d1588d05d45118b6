"""Secrets: how they are made, told apart and looked up. Only their SHA-256 is ever stored."""

from __future__ import annotations

import hashlib
import secrets

from sublight.store.people import TokenKind

# The prefix says what a secret is for, so that a person who finds one in a file knows, and a scanner can find it.
PREFIXES = {
    TokenKind.ACCESS: "sl_",
    TokenKind.NODE: "sln_",
    TokenKind.SESSION: "sls_",
    TokenKind.LOGIN: "slc_",
    TokenKind.RUN: "slr_",
}
_BYTES = 32  # 256 bits: no guessing, so a plain fast hash is enough and no slow password hash is needed
SECRET_LENGTH_MAX = 200


def new_secret(kind: TokenKind) -> str:
    """A fresh secret of 256 random bits."""
    return PREFIXES[kind] + secrets.token_urlsafe(_BYTES)


def hash_of(secret: str) -> str:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def new_id() -> str:
    """An id for a stored secret; it tells nothing about the secret."""
    return secrets.token_hex(8)
