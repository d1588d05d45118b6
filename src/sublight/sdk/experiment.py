"""An experiment: a named series of runs, and the door through which runs are submitted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from sublight.core.errors import InvalidInput
from sublight.messages.definitions import InteractiveRunRequest, SubmitRequest
from sublight.messages.experiments import ExperimentSummary, ExperimentUpdate
from sublight.messages.runs import RunView
from sublight.sdk.client import API, Client
from sublight.sdk.cluster import Cluster, Clusters
from sublight.sdk.run import Run
from sublight.sdk.runs import list_runs
from sublight.sdk.script import Script
from sublight.sdk.snapshot import pack, upload
from sublight.sdk.sweep import Sweep

if TYPE_CHECKING:
    from sublight.sdk.interactive_run import InteractiveRun

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
        run_id: str | None = None,
        description: str = "",
    ) -> Run:
        """Send a script or a sweep to a cluster (or ``"local"``) and return at once; the run waits for its place there.

        The source folder is copied as it is now; a line on standard error tells its size. ``name`` and ``description``
        are for people, ``tags`` and ``properties`` are kept with the run. ``run_id`` is its id when a certain one is
        wanted (at most 56 letters, digits, ``_``, ``.`` and ``-``; Conflict when there is such a run).
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
            id=run_id,
            name=name,
            description=description,
            tags=_texts(tags, "tags"),
            properties=_texts(properties, "properties"),
        )
        return Run(self._client, self._client.post(f"{API}/runs", RunView, request))

    def start_run(
        self,
        name: str | None = None,
        *,
        run_id: str | None = None,
        parent_id: str | None = None,
        source: str | Path | None = None,
        tags: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
        description: str = "",
    ) -> InteractiveRun:
        """Start a run that this very process carries out, such as a notebook, and report on it as scripts do.

        ``source`` is a folder (or file) to keep as the run's code. ``parent_id`` is a run of this experiment to put it
        below. The rest is as in ``submit``.

        >>> with workspace.experiment("trying").start_run("by hand") as run:
        ...     run.log("accuracy", 0.81)
        """
        from sublight.sdk.interactive_run import InteractiveRun

        snapshot_id = None
        if source is not None:
            folder = Path(source).expanduser()
            if not folder.exists():
                raise InvalidInput(f"there is no source {str(source)!r} (looked for {folder.resolve()})")
            snapshot_id = upload(self._client, pack(folder.resolve(), shown=str(source)))
        request = InteractiveRunRequest(
            experiment=self.name,
            id=run_id,
            name=name,
            description=description,
            parent_id=parent_id,
            snapshot_id=snapshot_id,
            tags=_texts(tags, "tags"),
            properties=_texts(properties, "properties"),
        )
        return InteractiveRun(self._client, self._client.post(f"{API}/interactive-runs", RunView, request))

    @property
    def details(self) -> ExperimentSummary:
        """What the server knows of it; NotFound when it has come into being neither by a run nor by ``ensure``."""
        return self._client.get(self._path, ExperimentSummary)

    def ensure(self) -> Experiment:
        """Make it now, without a run, unless it is there."""
        self._client.put(self._path, ExperimentSummary)
        return self

    def update(
        self, *, tags: Mapping[str, str | None] | None = None, is_archived: bool | None = None
    ) -> ExperimentSummary:
        """Set tags (one given as None is removed); archive it, or take it back."""
        change = ExperimentUpdate(tags=dict(tags or {}), is_archived=is_archived)
        return self._client.patch(self._path, ExperimentSummary, change)

    def delete(self) -> None:
        """Remove it with all its runs and what they reported, for good; Conflict while one of them has not ended."""
        self._client.delete(self._path, type(None))

    def runs(self, *, limit: int | None = 50, **filters: object) -> list[Run]:
        """Its runs, newest first; the filters are those of ``Workspace.runs``."""
        return list_runs(self._client, limit=limit, experiment=self.name, **filters)

    @property
    def _path(self) -> str:
        return f"{API}/experiments/{quote(self.name, safe='')}"

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
