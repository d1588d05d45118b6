"""The workspace: everything one team shares, and where a user's program begins."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from urllib.parse import quote

from sublight.core.errors import InvalidInput
from sublight.messages.experiments import ExperimentSummary
from sublight.messages.people import AuditEntry, LoginCode, WorkspaceView
from sublight.messages.runs import Comparison, RunView
from sublight.sdk import discovery
from sublight.sdk.assets import Assets
from sublight.sdk.client import API, Client
from sublight.sdk.cluster import Clusters
from sublight.sdk.datastores import Datastores
from sublight.sdk.endpoint import Endpoint
from sublight.sdk.experiment import Experiment
from sublight.sdk.people import People, Tokens
from sublight.sdk.run import Run
from sublight.sdk.runs import list_runs


class Workspace:
    """A workspace on a server.

    ``Workspace.from_config()`` finds (and, if need be, starts) the server of the present project;
    ``Workspace(url, token)`` goes to a given one.
    """

    def __init__(self, url: str | None = None, token: str | None = None, *, client: Client | None = None) -> None:
        if client is None:
            if not url or not token:
                raise InvalidInput(
                    "Workspace needs the url and the token of a server; Workspace.from_config() finds them by itself"
                )
            client = Client(Endpoint(url, token))
        self.client = client
        self._view: WorkspaceView | None = None

    @classmethod
    def from_config(cls, path: str | Path | None = None) -> Workspace:
        """The workspace that is meant here.

        In this order: SUBLIGHT_URL with SUBLIGHT_TOKEN; a configuration file that ``path`` names; the project that the
        folder ``path`` (the working directory) belongs to, whose own server is started when it is not up.
        """
        return cls(client=open_client(path))

    @property
    def url(self) -> str:
        """The server's address."""
        return self.client.endpoint.url

    @property
    def name(self) -> str:
        """The workspace's name."""
        return self.details.name

    @property
    def details(self) -> WorkspaceView:
        """The workspace as the server tells it, with who the caller is in it."""
        if self._view is None:
            self._view = self.client.get(f"{API}/workspace", WorkspaceView)
        return self._view

    @property
    def clusters(self) -> Clusters:
        """The compute clusters."""
        return Clusters(self.client)

    @property
    def assets(self) -> Assets:
        """The registered datasets, models, environments and mapped addresses."""
        return Assets(self.client)

    @property
    def datastores(self) -> Datastores:
        """The folders of files that everybody shares."""
        return Datastores(self.client)

    @property
    def people(self) -> People:
        """Who may do what here."""
        return People(self.client)

    @property
    def tokens(self) -> Tokens:
        """What programs and other machines show to be let in."""
        return Tokens(self.client)

    @property
    def experiments(self) -> list[ExperimentSummary]:
        """All experiments with the number of their runs, archived ones too."""
        return self.client.get(f"{API}/experiments", list[ExperimentSummary])

    def experiment(self, name: str) -> Experiment:
        """The experiment of this name; it comes into being with its first run."""
        return Experiment(self.client, name)

    def run(self, run_id: str) -> Run:
        """The run of this id; NotFound when there is none."""
        if not run_id or not run_id.strip():
            raise InvalidInput("a run is named by its id, got an empty one; `sublight run list` shows the ids")
        return Run(self.client, self.client.get(f"{API}/runs/{quote(run_id, safe='')}", RunView))

    def runs(
        self,
        *,
        experiment: str | None = None,
        kind: str | None = None,
        status: str | Iterable[str] | None = None,
        target: str | None = None,
        parent_id: str | None = None,
        search: str | None = None,
        tag: str | None = None,
        end_reason: str | None = None,
        limit: int | None = 50,
    ) -> list[Run]:
        """Runs that pass the filters, newest first, at most ``limit`` (None: all).

        These are scripts, sweeps and interactive runs; ``kind="trial"`` or ``"child"`` gives those, of all runs or of the
        one named by ``parent_id``. ``search`` looks into names, ``tag`` is ``key`` or ``key=value``, ``end_reason`` is
        ``finished``, ``policy`` (ended early), ``timeout``, ``user``, ``node_lost`` or ``error``.
        """
        statuses = [status] if isinstance(status, str) else list(status or ())
        return list_runs(
            self.client,
            limit=limit,
            experiment=experiment,
            kind=kind,
            status=statuses,
            target=target,
            parent_id=parent_id,
            search=search,
            tag=tag,
            end_reason=end_reason,
        )

    def compare(self, *runs: Run | str, metric: str | None = None, direction: str | None = None) -> Comparison:
        """Two or more runs or sweeps side by side: time, price, best value, time to the same value.

        By the sweeps' primary metric, or by the ``metric`` named, more of which is better unless ``direction`` is
        ``"minimize"``; plain runs can be compared by a metric only so.
        """
        ids = [run.id if isinstance(run, Run) else run for run in runs]
        if len(ids) < 2:
            raise InvalidInput(f"compare needs two runs or more, got {len(ids)}")
        return self.client.get(f"{API}/compare", Comparison, run=ids, metric=metric, direction=direction)

    def audit(self, limit: int = 50) -> list[AuditEntry]:
        """Who changed what, newest first."""
        return self.client.get(f"{API}/audit", list[AuditEntry], limit=limit)

    def portal_url(self) -> str:
        """A link that opens the portal in a browser; it logs in once, and only for a short while."""
        code = self.client.post(f"{API}/login-codes", LoginCode)
        return self.url + code.path

    def __repr__(self) -> str:
        return f"Workspace({self.url!r})"


def open_client(path: str | Path | None = None, *, starts_server: bool = True) -> Client:
    """A client for the workspace that is meant at ``path``; see ``Workspace.from_config``."""
    if path is None:
        endpoint = discovery.endpoint_from_environment(os.environ)
        if endpoint is not None:
            return Client(endpoint)
    start = Path(path) if path is not None else Path.cwd()
    if start.is_file():
        return Client(discovery.read_config_file(start))
    project = discovery.find_project(start)
    endpoint = discovery.configured_endpoint(project) or discovery.running_endpoint(project)
    if endpoint is None:
        if starts_server:
            from sublight.sdk.daemon import start_server

            endpoint = start_server(project)
        else:
            endpoint = discovery.locate_again(project)
    locate = partial(discovery.locate_again, project) if endpoint.project else None
    return Client(endpoint, locate=locate)
