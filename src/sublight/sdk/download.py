"""Fetching what a run left behind, without ever writing outside the folder that the user named."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from sublight.core.errors import InvalidInput, NotFound, ServerUnavailable
from sublight.core.snapshot import check_path
from sublight.messages.runs import ArtifactView
from sublight.sdk.client import API, Client


def chosen_artifacts(artifacts: Iterable[ArtifactView], path: str | None, *, run_id: str) -> list[ArtifactView]:
    """The artifact called ``path``, or all below the folder ``path``, or all; NotFound names what there is."""
    everything = list(artifacts)
    if path is None:
        return everything
    wanted = path.strip("/")
    chosen = [one for one in everything if one.path == wanted or one.path.startswith(wanted + "/")]
    if not chosen:
        there = ", ".join(one.path for one in everything[:8]) or "nothing"
        raise NotFound(f"run {run_id} has no file or folder {path!r}; it left {there}")
    return chosen


def download(client: Client, run_id: str, artifacts: Iterable[ArtifactView], destination: Path) -> list[Path]:
    """Write the artifacts below ``destination``, each whole or not at all; files of the same name are replaced."""
    destination.mkdir(parents=True, exist_ok=True)
    root = destination.resolve()
    return [_download_one(client, run_id, artifact, root) for artifact in artifacts]


def _download_one(client: Client, run_id: str, artifact: ArtifactView, root: Path) -> Path:
    target = root / check_path(artifact.path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # A link that lies in the destination from before must not lead the file elsewhere.
    if not target.parent.resolve().is_relative_to(root):
        raise InvalidInput(f"{target.parent} leads outside {root} by a link; choose another folder to download to")
    handle, partial = tempfile.mkstemp(dir=target.parent, prefix=".sublight-", suffix=".part")
    try:
        with os.fdopen(handle, "w+b") as sink:
            client.get_file(f"{API}/runs/{run_id}/artifacts/content", sink, path=artifact.path)
            sink.seek(0)
            sha256 = hashlib.file_digest(sink, "sha256").hexdigest()
        if sha256 != artifact.sha256:
            raise ServerUnavailable(f"{artifact.path} of run {run_id} arrived damaged; try again")
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(partial, 0o666 & ~umask)
        os.replace(partial, target)
    except BaseException:
        os.unlink(partial)
        raise
    return target
