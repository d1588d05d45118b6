"""An experiment: a named series of runs, and the door through which runs are submitted."""

from __future__ import annotations

from collections.abc import Mapping

from sublight.core.errors import InvalidInput
from sublight.messages.definitions import SubmitRequest
from sublight.messages.runs import RunView
from sublight.sdk.client import API, Client
from sublight.sdk.cluster import Cluster, Clusters
from sublight.sdk.run import Run
from sublight.sdk.runs import list_runs
from sublight.sdk.script import Script
from sublight.sdk.snapshot import pack, upload
from sublight.sdk.sweep import Sweep

LOCAL = "local"


class Experiment:
    """A named series of runs; it comes into being with its first one. Made by ``Workspace.experiment``."""

    def __init__(self, client: Client, name: str) -> None:
        if not isinstance(name, str) or not name.strip():
            raise InvalidInput(f"an experiment needs a name, got {name!r}")
        self._client = client
        self.name = name

    def submit(
        self,
        what: Script | Sweep,
        *,
        on: Cluster | str = LOCAL,
        name: str | None = None,
        tags: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
    ) -> Run:
        """Send a script or a sweep to a cluster (or ``"local"``) and return at once; the run waits for its place there.

        The source folder is copied as it is now; a line on standard error tells its size. ``name`` is for people,
        ``tags`` and ``properties`` are kept with the run.
        """
        if not isinstance(what, (Script, Sweep)):
            raise InvalidInput(f"submit takes a Script or a Sweep, got {what!r}")
        script = what.script if isinstance(what, Sweep) else what
        if isinstance(what, Script):
            what.check_placeholders()
        target = self._checked_target(on)
        packed = pack(script.source, shown=script.shown_source)
        script.check_packed(packed)
        snapshot_id = upload(self._client, packed)
        request = SubmitRequest(
            experiment=self.name,
            target=target,
            script=what.definition(snapshot_id) if isinstance(what, Script) else None,
            sweep=what.definition(snapshot_id) if isinstance(what, Sweep) else None,
            name=name,
            tags=_texts(tags, "tags"),
            properties=_texts(properties, "properties"),
        )
        return Run(self._client, self._client.post(f"{API}/runs", RunView, request))

    def runs(self, *, limit: int | None = 50, **filters: object) -> list[Run]:
        """Its runs, newest first; the filters are those of ``Workspace.runs``."""
        return list_runs(self._client, limit=limit, experiment=self.name, **filters)

    def _checked_target(self, on: Cluster | str) -> str:
        """The target's name; a wrong one is found before a large folder is sent for nothing."""
        if isinstance(on, Cluster):
            return on.name
        if not isinstance(on, str) or not on:
            raise InvalidInput(f"on must be a cluster, its name, or {LOCAL!r}, got {on!r}")
        return on if on == LOCAL else Clusters(self._client).get(on).name

    def __repr__(self) -> str:
        return f"Experiment({self.name!r})"


def _texts(pairs: Mapping[str, str] | None, what: str) -> dict[str, str]:
    for name, value in (pairs or {}).items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise InvalidInput(f"{what} must map text to text, got {name!r}: {value!r}")
    return dict(pairs or {})
