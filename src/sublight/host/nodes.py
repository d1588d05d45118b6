"""A logical node as the machine sees it: how its processes are marked, where its group is, how to end all of it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from sublight.host.cgroups import ControlGroup
from sublight.host.processes import kill_until_gone, marked_processes

NODE_ID_VARIABLE = "SUBLIGHT_NODE_ID"
NODE_DIRECTORY_VARIABLE = "SUBLIGHT_NODE_DIRECTORY"

_GROUP_FILE = "cgroup"
_GROUP_PREFIX = "sublight-node-"


def node_mark(node_id: str, directory: Path) -> dict[str, str]:
    """The environment variables that mark the agent of a node and everything that it starts.

    The directory belongs to it because two workspaces on one machine may have nodes of the same name.
    """
    return {NODE_ID_VARIABLE: node_id, NODE_DIRECTORY_VARIABLE: os.path.realpath(directory)}


def make_node_group(base: Path, node_id: str, directory: Path) -> ControlGroup:
    """Make the node's group below ``base`` and note it in the node's directory, where `sweep_node` finds it.

    The note is needed because a later agent, or the server, may itself live in another group than this agent.
    """
    digest = hashlib.sha256(os.path.realpath(directory).encode()).hexdigest()[:12]
    group = ControlGroup(base / f"{_GROUP_PREFIX}{node_id}-{digest}")
    (directory / _GROUP_FILE).write_text(f"{group.path}\n")
    group.create()
    return group


def sweep_node(node_id: str, directory: Path, timeout_seconds: float = 10.0) -> list[int]:
    """End every process of a node, its agent too, and return those that survived: normally none.

    The caller's own process is spared, so an agent calls it at its start to end what an earlier life left. It may be
    called at any time and twice; a node that left nothing is passed over silently.
    """
    survivors: set[int] = set()
    group = _noted_group(directory)
    if group is not None:
        if not group.kill_and_wait(timeout_seconds):
            survivors.update(group.members())
        group.remove()
    mark = node_mark(node_id, directory)
    survivors.update(kill_until_gone(lambda: marked_processes(mark), timeout_seconds))
    return sorted(survivors)


def _noted_group(directory: Path) -> ControlGroup | None:
    try:
        path = Path((directory / _GROUP_FILE).read_text().strip())
    except OSError:
        return None
    # Anything else in that file is not ours to kill.
    return ControlGroup(path) if path.name.startswith(_GROUP_PREFIX) else None
