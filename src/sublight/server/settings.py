"""Settings of a server: every number a person may want to change, in one place, each with its meaning."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from sublight.core.errors import InvalidInput
from sublight.core.snapshot import SnapshotLimits

_ENVIRONMENTS = ("current", "build", "relax")
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """``root`` is the workspace's folder (``<project>/.sublight``).

    ``lease_seconds``: how long an agent goes on with its runs without hearing from the server.
    ``stop_grace_seconds``: how long a stopped script may take to end by itself before it is killed.
    ``replace_seconds``: after how much silence of a node its runs are given to others. It must be larger than the two
    together, so that the node has surely stopped them.
    ``start_seconds``: how long a node may take to come up before it is given up.
    ``interactive_silence_seconds``: after how much silence of its process an interactive run counts as failed. Processes
    make themselves heard every 15 seconds.
    ``snapshot_limit_mb`` and ``snapshot_limit_files``: how large a source folder this server takes. Whoever submits has
    smaller limits of their own, which they can raise up to these (``core/snapshot``).
    ``environments``: what becomes of environments that scripts written for Azure ML describe: ``current`` (the nodes' own
    Python runs them), ``build``, or ``relax`` (built, with the nearest that can be had). Clients read it.
    ``environments_limit_mb``: how much room the built environments of a machine may take; what was used longest ago goes.
    ``environment``: variables that every script on the nodes gets, unless its run sets them otherwise.
    """

    root: Path
    name: str = "workspace"
    host: str = "127.0.0.1"
    port: int | None = None
    lease_seconds: float = 60.0
    stop_grace_seconds: float = 10.0
    replace_seconds: float = 90.0
    poll_seconds: float = 5.0
    start_seconds: float = 120.0
    interactive_silence_seconds: float = 600.0
    tick_seconds: float = 1.0
    snapshot_limit_mb: int = 5_000
    snapshot_limit_files: int = 20_000
    sizes: tuple[Mapping[str, Any], ...] = ()
    environments: str = "current"
    environments_limit_mb: int = 20_000
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def snapshot_limits(self) -> SnapshotLimits:
        """What the server itself allows."""
        return SnapshotLimits(
            bytes_max=self.snapshot_limit_mb * 1_000_000,
            files_max=self.snapshot_limit_files,
            bytes_remedy="raise snapshot_limit_mb in the server's .sublight/settings.json and start it again",
            files_remedy="raise snapshot_limit_files in the server's .sublight/settings.json and start it again",
        )

    def __post_init__(self) -> None:
        if self.replace_seconds <= self.lease_seconds + self.stop_grace_seconds:
            raise InvalidInput(
                f"replace_seconds must be larger than lease_seconds + stop_grace_seconds "
                f"({self.lease_seconds:g} + {self.stop_grace_seconds:g}), got {self.replace_seconds:g}; otherwise one "
                f"trial could run on two nodes at once"
            )


def load_settings(root: Path, *, name: str, port: int | None = None) -> Settings:
    """Settings of the workspace in ``root``: ``settings.json`` there, over the defaults; unknown names are refused."""
    import json

    path = root / "settings.json"
    values: Any = {}
    if path.exists():
        try:
            values = json.loads(path.read_text())
        except ValueError as error:
            raise InvalidInput(f"{path} is no JSON: {error}; mend it or remove it") from error
    if not isinstance(values, dict):
        raise InvalidInput(f'{path} must hold a JSON object like {{"port": 8123}}; mend it or remove it')
    known = {field.name for field in fields(Settings)} - {"root"}
    unknown = sorted(set(values) - known)
    if unknown:
        raise InvalidInput(
            f"{path} holds the unknown setting {unknown[0]!r}; the settings are {', '.join(sorted(known))}"
        )
    for setting, value in values.items():
        wanted = _fault(setting, value)
        if wanted is not None:
            raise InvalidInput(f"{setting} in {path} must be {wanted}, got {value!r}")
    if port is not None and _fault("port", port) is not None:
        raise InvalidInput(f"--port must be {_fault('port', port)}, got {port}")
    values.setdefault("name", name)
    if port is not None:
        values["port"] = port
    if "sizes" in values:
        values["sizes"] = tuple(values["sizes"])
    return Settings(root=root, **values)


def _fault(setting: str, value: object) -> str | None:
    """What a setting of this name must be, when ``value`` is something else."""
    if setting.endswith("_seconds"):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return None if is_number and 0 < float(value) < math.inf else "a number of seconds above 0"  # type: ignore[arg-type]
    if setting.startswith("snapshot_limit_") or setting == "environments_limit_mb":
        is_whole = isinstance(value, int) and not isinstance(value, bool) and value > 0
        return None if is_whole else "a whole number above 0"
    if setting == "port":
        is_port = isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536
        return None if value is None or is_port else "a whole number from 1 to 65535"
    if setting == "sizes":
        is_list = isinstance(value, list) and all(isinstance(row, dict) for row in value)
        return None if is_list else "a list of sizes, each an object with a name"
    if setting == "environments":
        return None if value in _ENVIRONMENTS else "current, build or relax"
    if setting == "environment":
        is_texts = isinstance(value, dict) and all(
            _VARIABLE_NAME.fullmatch(name) and not name.startswith("SUBLIGHT_") and isinstance(text, str)
            for name, text in value.items()
        )
        return None if is_texts else "an object that maps names of variables (none of SUBLIGHT_…) to texts"
    return None if isinstance(value, str) and value.strip() else "a text"
