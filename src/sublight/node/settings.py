"""What the engine tells an agent: the file ``agent.json`` in the node's directory."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sublight.core.errors import InvalidInput
from sublight.host.processes import process_stat

SETTINGS_FILE = "agent.json"


@dataclass(frozen=True, kw_only=True)
class AgentSettings:
    """An agent's settings.

    ``threads`` is the node's share of the machine, which its runs divide; ``gpus`` those of the node's size. ``note`` is
    the engine's sentence on the machine. ``isolation`` forces a way to end processes (``cgroup`` or ``sweep``) instead of
    the best there is.
    """

    directory: Path
    node_id: str
    cluster: str
    token: str
    url: str
    server_file: Path | None = None
    threads: int = 1
    gpus: int | None = None
    note: str = ""
    isolation: str | None = None


def read_settings(directory: Path) -> AgentSettings:
    """Read ``agent.json``. Raises InvalidInput that names the file and what is wrong with it."""
    path = directory / SETTINGS_FILE
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{path} must hold the agent's settings as JSON, but: {error}") from error
    if not isinstance(content, dict):
        raise InvalidInput(f"{path} must hold a JSON object, got {type(content).__name__}")
    size = content.get("size")
    server_file = content.get("server_file")
    url = content.get("url") or ""
    if not server_file and not url:
        raise InvalidInput(f"{path} must name the server by server_file or url, but has neither")
    return AgentSettings(
        directory=directory.resolve(),
        node_id=_text(path, content, "node_id"),
        cluster=str(content.get("cluster", "")),
        token=_text(path, content, "token"),
        url=str(url),
        server_file=Path(server_file) if server_file else None,
        threads=max(1, int(content.get("threads") or 1)),
        gpus=size.get("gpus") if isinstance(size, dict) else None,
        note=str(content.get("note", "")),
        isolation=content.get("isolation"),
    )


def server_url(settings: AgentSettings) -> str:
    """Where the server is now. A server on this machine writes its address anew at each start."""
    fresh = _read_server_file(settings.server_file).get("url")
    return fresh if isinstance(fresh, str) and fresh else settings.url


def is_server_gone(settings: AgentSettings) -> bool:
    """True when the server of this machine was stopped or killed: its file is missing, or names a dead process.

    Always False for a server elsewhere, of which nothing can be known from here.
    """
    if settings.server_file is None:
        return False
    pid = _read_server_file(settings.server_file).get("pid")
    if not isinstance(pid, int):
        return True
    stat = process_stat(pid)
    return stat is None or not stat.is_alive


def _read_server_file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}  # not there, or being written just now: the next look sees it
    return content if isinstance(content, dict) else {}


def _text(path: Path, content: dict[str, Any], key: str) -> str:
    value = content.get(key)
    if not isinstance(value, str) or not value:
        raise InvalidInput(f"{path} must hold {key} as text, got {value!r}")
    return value
