"""The one place that builds objects from settings, and the entry points of our two kinds of process."""

from __future__ import annotations

import functools
import logging
import os
import secrets
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from sqlalchemy import insert, select

from sublight.core.sizes import Size, custom_sizes
from sublight.engines.base import Engine, NodeRequest
from sublight.engines.local import LocalEngine
from sublight.host.facts import gpus_count
from sublight.portal.app import error_page, portal_router
from sublight.server.app import Services, make_app
from sublight.server.caller import Callers
from sublight.server.changes import Changes, NodeSignals
from sublight.server.clock import Clock
from sublight.server.ports import NodeSupply
from sublight.server.reconcilers.fleet import Fleet
from sublight.server.reconcilers.loop import Loop
from sublight.server.reconcilers.placing import Placing
from sublight.server.reconcilers.sweeps import Sweeps
from sublight.server.run_tokens import RunTokens
from sublight.server.services.assets import Assets
from sublight.server.services.clusters import Clusters
from sublight.server.services.compare import Compare
from sublight.server.services.datastores import Datastores
from sublight.server.services.experiments import Experiments
from sublight.server.services.files import Files
from sublight.server.services.ingest import Ingest
from sublight.server.services.interactive import InteractiveRuns
from sublight.server.services.metrics import Metrics
from sublight.server.services.nodes import Nodes
from sublight.server.services.people import People
from sublight.server.services.runs import Runs
from sublight.server.settings import Settings, load_settings
from sublight.store import migrations, tables
from sublight.store.blobs import BlobStore
from sublight.store.database import Database, open_sqlite
from sublight.store.datastores import DatastoreFiles
from sublight.store.logs import LogFiles

SERVER_FILE = "server.json"
OWNER_TOKEN_FILE = "owner.token"
# Every run that starts or ends concerns the fleet; looking five times a second is soon enough for it.
_FLEET_REST_SECONDS = 0.2
# How often it is looked whether the process of an interactive run has fallen silent.
_INTERACTIVE_TICK_SECONDS = 5.0


class EngineSupply:
    """An engine as the server uses it: it adds the folder and the address that every node of this server gets."""

    def __init__(self, engine: Engine, root: Path) -> None:
        self._engine = engine
        self._root = root
        self._gpus: int | None = None

    def check_size(self, size: Size) -> str | None:
        """See Engine.check_size."""
        return self._engine.check_size(size)

    def host_gpus(self) -> int:
        """How many GPUs this machine has; looked up once."""
        if self._gpus is None:
            self._gpus = gpus_count()
        return self._gpus

    def start_node(self, *, node_id: str, cluster: str, size: Size, nodes_max: int, token: str) -> dict[str, Any]:
        """See Engine.start_node."""
        request = NodeRequest(
            node_id=node_id,
            cluster=cluster,
            size=size,
            directory=self._directory(node_id),
            token=token,
            url="",
            server_file=self._root / SERVER_FILE,
            nodes_max=nodes_max,
        )
        return self._engine.start_node(request)

    def dead_nodes(self, handles: Mapping[str, Mapping[str, Any]]) -> Mapping[str, str]:
        """Those of these nodes whose agent is gone."""
        found = self._engine.list_nodes({node_id: dict(handle) for node_id, handle in handles.items()})
        return {node_id: life.note or "its agent is gone" for node_id, life in found.items() if not life.is_alive}

    def stop_node(self, node_id: str, handle: Mapping[str, Any]) -> None:
        """See Engine.stop_node."""
        self._engine.stop_node(node_id, {"directory": str(self._directory(node_id)), **handle})

    def remove_node(self, node_id: str) -> str:
        """Remove the folder of a node that was stopped; returns the last line of its agent's log."""
        from sublight.node.endings import last_words
        from sublight.node.workspace import remove_tree

        directory = self._directory(node_id)
        words = last_words(directory / "agent.log")
        remove_tree(directory)
        return words

    def _directory(self, node_id: str) -> Path:
        return self._root / "nodes" / node_id


@dataclass(frozen=True)
class Workspace:
    """A workspace in this process: its services, its reconcilers and the app that runs them in loops.

    The app is made when it is first asked for: a third of a second that a program without HTTP need not spend.
    """

    settings: Settings
    services: Services
    sweeps: Sweeps
    placing: Placing
    fleet: Fleet
    signals: NodeSignals
    make_app: Callable[[], FastAPI]

    @functools.cached_property
    def app(self) -> FastAPI:
        """The app; one and the same at each call."""
        return self.make_app()


def build(
    settings: Settings,
    *,
    supplies: Mapping[str, NodeSupply] | None = None,
    clock: Clock | None = None,
    with_portal: bool = True,
    request_shutdown: Any = lambda: None,
) -> Workspace:
    """Build the workspace of ``settings.root`` (made if need be), its database migrated to the newest form."""
    clock = clock or Clock()
    settings.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = open_sqlite(settings.root / "sublight.db")
    migrations.upgrade(database.engine)
    database.load_change_number()
    if supplies is None:
        supplies = {"local": EngineSupply(LocalEngine(), settings.root)}

    changes = Changes()
    signals = NodeSignals(first_version=secrets.randbelow(2**30))
    run_tokens = RunTokens(_fact(database, "run_token_secret", secrets.token_hex(32)))
    callers = Callers(database, clock, run_tokens)
    people = People(database, clock, callers)
    log_files = LogFiles(settings.root / "logs")
    blobs = BlobStore(settings.root / "blobs")
    files = Files(database, clock, blobs=blobs, log_files=log_files, limits=settings.snapshot_limits)
    clusters = Clusters(database, clock, supplies=supplies, sizes=custom_sizes(settings.sizes))
    runs = Runs(database, clock, files=files, clusters=clusters)
    ingest = Ingest(database, log_files)
    nodes = Nodes(
        database, clock, settings=settings, signals=signals, files=files, ingest=ingest, run_tokens=run_tokens
    )
    assets = Assets(database, clock, blobs=blobs)
    interactive = InteractiveRuns(database, clock, files=files, ingest=ingest)

    def forget_sweeps() -> None:
        nodes.forget_definitions()
        ingest.forget_goals()

    services = Services(
        database=database,
        changes=changes,
        callers=callers,
        runs=runs,
        metrics=Metrics(database),
        clusters=clusters,
        nodes=nodes,
        files=files,
        assets=assets,
        datastores=Datastores(database, clock, files=DatastoreFiles(settings.root / "datastores")),
        people=people,
        comparing=Compare(database, clock),
        experimenting=Experiments(database, clock, files=files, assets=assets, removed=forget_sweeps),
        interactive=interactive,
        workspace_id=_fact(database, "workspace_id", secrets.token_hex(8)),
        workspace_name=_fact(database, "workspace_name", settings.name),
        started=clock.now(),
    )

    def silence(node_id: str) -> float:
        return clock.monotonic() - nodes.last_heard(node_id)

    sweeps = Sweeps(database, clock)
    placing = Placing(database, clock, silence, quiet_seconds=3 * settings.poll_seconds)
    fleet = Fleet(database, clock, settings=settings, supplies=supplies, tokens=people, silence=silence)

    def advance(hints: set[str] | None) -> None:
        # A trial that ends, its successor and its placement follow each other in one pass.
        sweeps.step(hints)
        placing.step(hints)

    advancing = Loop("sweeps", advance, tick_seconds=settings.tick_seconds)
    fleeting = Loop("fleet", fleet.step, tick_seconds=settings.tick_seconds, rest_seconds=_FLEET_REST_SECONDS)

    def end_silent(_hints: set[str] | None) -> None:
        interactive.fail_silent(settings.interactive_silence_seconds)

    listening = Loop("interactive runs", end_silent, tick_seconds=_INTERACTIVE_TICK_SECONDS)
    changes.listen(lambda subjects: _route(subjects, advancing, fleeting, signals))
    database.on_change = changes.announce
    app = functools.partial(
        make_app,
        services,
        loops=(advancing, fleeting, listening),
        portal=portal_router(services) if with_portal else None,
        error_page=error_page if with_portal else None,
        request_shutdown=request_shutdown,
        hosts=(settings.host,),
        lease_seconds=settings.lease_seconds,
        environments=settings.environments,
    )
    return Workspace(settings, services, sweeps, placing, fleet, signals, app)


def _route(subjects: set[str], advancing: Loop, fleeting: Loop, signals: NodeSignals) -> None:
    """Wake whoever is concerned: nodes by their own subject, the loops by runs and clusters."""
    for subject in subjects:
        if subject.startswith("node:"):
            signals.signal(subject.removeprefix("node:"))
    advancing.hint(subjects)
    if any(subject.startswith("cluster:") for subject in subjects):
        fleeting.hint(subjects)


def _fact(database: Database, name: str, first: str) -> str:
    """A fact about the workspace that is made up once and then kept."""
    with database.write() as connection:
        value = connection.scalar(select(tables.facts.c.value).where(tables.facts.c.name == name))
        if value is None:
            connection.execute(insert(tables.facts), {"name": name, "value": first})
            return first
        return str(value)


# -- the server process -----------------------------------------------------------------------------------------------


def serve(project: Path, port: int | None = None) -> int:
    """Run the embedded server of a project until it is told to stop; returns the exit code.

    Steps, in this order: own the workspace (a second server stops here), read the settings, take a port, bring the
    database up to date, write the owner's token, serve, announce. At the end: stop announcing, let requests finish,
    stop the loops, close the database, give up the lock. Nodes are left alone, and go on while their leases last.
    """
    import uvicorn

    from sublight.server import process

    root = project / ".sublight"
    _log_to_stderr()
    servers: list[uvicorn.Server] = []

    def request_shutdown() -> None:
        servers[0].should_exit = True

    with process.plain_errors(root):
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = process.take_lock(root)
        settings = load_settings(root, name=project.resolve().name, port=port)
        listener = process.listen(settings, process.earlier_port(root))
        workspace = build(settings, request_shutdown=request_shutdown)
        process.write_private(root / OWNER_TOKEN_FILE, _owner_token(workspace, root))
    config = uvicorn.Config(
        workspace.app,
        log_level="warning",
        access_log=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=3,
        lifespan="on",
        ws="none",
    )

    def announce() -> None:
        with process.plain_errors(root):
            process.announce(root, listener, workspace.services.workspace_id)

    def withdraw() -> None:
        process.forget_announcement(root)
        workspace.services.changes.close()
        workspace.signals.close()

    server = process.AnnouncingServer(config, announce, withdraw)
    servers.append(server)
    try:
        server.run(sockets=[listener])
    finally:
        workspace.services.database.close()
        os.close(lock)
    return 0


def _log_to_stderr() -> None:
    form = "%(asctime)s %(levelname)s %(name)s %(message)s"
    logging.basicConfig(level=logging.INFO, format=form, stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)


def _owner_token(workspace: Workspace, root: Path) -> str:
    try:
        present = (root / OWNER_TOKEN_FILE).read_text().strip()
    except OSError:
        present = ""
    return workspace.services.people.ensure_owner(present=present)


# -- the agent process ------------------------------------------------------------------------------------------------


def agent(directory: Path) -> int:
    """Run the agent of a node's folder until it is told to leave; returns the exit code."""
    from sublight.node.agent import run_agent

    _log_to_stderr()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is meant for whoever waits there, not for us
    return run_agent(directory)
