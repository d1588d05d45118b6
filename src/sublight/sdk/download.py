"""Fetching what a run left behind."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sublight.core.errors import NotFound
from sublight.messages.runs import ArtifactView
from sublight.sdk.client import API, Client
from sublight.sdk.fetching import fetch


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
    return [
        fetch(
            client,
            f"{API}/runs/{run_id}/artifacts/content",
            destination,
            artifact.path,
            sha256=artifact.sha256,
            shown=f"{artifact.path} of run {run_id}",
            path=artifact.path,
        )
        for artifact in artifacts
    ]
