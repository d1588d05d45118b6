"""Fetching files whole or not at all, without ever writing outside the folder that the user named."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from sublight.core.errors import InvalidInput, ServerUnavailable
from sublight.core.snapshot import check_path
from sublight.sdk.client import Client


def fetch(
    client: Client,
    address: str,
    destination: Path,
    path: str,
    /,
    *,
    sha256: str | None = None,
    shown: str,
    **query: object,
) -> Path:
    """Write what the server has at ``address`` to ``path`` below ``destination``; a file of that name is replaced.

    ``sha256`` is what its bytes must have where that is known; ``shown`` names the file in errors.
    """
    destination.mkdir(parents=True, exist_ok=True)
    root = destination.resolve()
    target = root / check_path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # A link that lies in the destination from before must not lead the file elsewhere.
    if not target.parent.resolve().is_relative_to(root):
        raise InvalidInput(f"{target.parent} leads outside {root} by a link; choose another folder to download to")
    handle, partial = tempfile.mkstemp(dir=target.parent, prefix=".sublight-", suffix=".part")
    try:
        with os.fdopen(handle, "w+b") as sink:
            client.get_file(address, sink, **query)
            sink.seek(0)
            if sha256 is not None and hashlib.file_digest(sink, "sha256").hexdigest() != sha256:
                raise ServerUnavailable(f"{shown} arrived damaged; try again")
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(partial, 0o666 & ~umask)
        os.replace(partial, target)
    except BaseException:
        os.unlink(partial)
        raise
    return target
