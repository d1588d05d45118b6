"""Sending a file to a run as an artifact."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sublight.core.errors import Conflict, InvalidInput
from sublight.sdk.client import API, Client
from sublight.sdk.staged_files import checked_upload_name


def upload_artifact(client: Client, run_id: str, name: str, file: Path) -> None:
    """Store the content of ``file`` as the artifact ``name`` of a run.

    InvalidInput for a name that no artifact can have and a file that is none; Conflict when it changes meanwhile.
    """
    try:
        checked_upload_name(name)
    except (TypeError, ValueError) as error:
        raise InvalidInput(str(error)) from error
    if not file.is_file():
        raise InvalidInput(f"there is no file {str(file)!r} to upload")
    before = signature(file)
    with file.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    try:
        client.put_file(f"{API}/runs/{run_id}/artifacts", file, path=name, sha256=sha256, size=before[1])
    except InvalidInput as error:
        if signature(file) != before:
            raise Conflict(f"{file} was changed while it was being sent; upload it again") from error
        raise


def signature(file: Path) -> tuple[int, int, int]:
    """Inode, size and time of change: equal as long as the file is the same."""
    status = file.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns
