"""``sublight up``, ``status``, ``stop`` and ``serve``: the server of the present project."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sublight.cli.output import ago, print_facts, print_json
from sublight.cli.session import AsJson, workspace_of

if TYPE_CHECKING:
    from sublight.sdk.discovery import WrittenServer

_STOP_TIMEOUT_SECONDS = 20.0
_POLL_SECONDS = 0.05


def up(
    context: typer.Context,
    opens: Annotated[bool, typer.Option("--open", help="Open the portal in the browser, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Start the project's server, or find it, and print the portal's link.

    The link logs in once, and only for a short while; run the command again for a fresh one.

    \b
    Example:
      sublight up --open
    """
    workspace = workspace_of(context)
    link = workspace.portal_url()
    details = workspace.details
    if as_json:
        project = workspace.client.endpoint.project
        print_json({"url": workspace.url, "portal": link, "workspace": details, "project": project and str(project)})
    else:
        print(f"workspace {details.name} is served at {workspace.url} (since {ago(details.started)})")
        print(f"portal: {link}")
    if opens:
        import webbrowser

        webbrowser.open(link)


def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Say whether the server is up, and what goes on. Never starts it.

    \b
    Example:
      sublight status
    """
    found = _written(context)
    if found is not None and found[1] is None:
        if as_json:
            print_json({"is_running": False, "project": str(found[0])})
        else:
            print(f"no server is running for {found[0]}; start it with: sublight up")
        raise typer.Exit(1)
    workspace = workspace_of(context)
    details = workspace.details
    clusters = [cluster.view for cluster in workspace.clusters]
    active = [run.view for run in workspace.runs(limit=20, status=_ACTIVE_STATUSES)]
    if as_json:
        content: dict[str, Any] = {"is_running": True, "url": workspace.url, "workspace": details}
        print_json({**content, "clusters": clusters, "active_runs": active})
        return
    from sublight.sdk.picture import counts_in_words, nodes_in_words

    facts = [
        ("workspace", f"{details.name} ({details.id})"),
        ("server", f"{workspace.url}, version {details.version}, started {ago(details.started)}"),
        ("you", f"{details.caller} ({', '.join(details.roles)})"),
    ]
    facts += [("cluster", f"{cluster.name}: {cluster.state}, {nodes_in_words(cluster)}") for cluster in clusters]
    for run in active:
        progress = f", {counts_in_words(run.progress)}" if run.progress else ""
        facts.append(("run", f"{run.id} on {run.target}: {run.status}{progress}"))
    print_facts(facts)


_ACTIVE_STATUSES = ("queued", "preparing", "running", "finishing", "stopping", "lost")


def stop(context: typer.Context, as_json: AsJson = False) -> None:
    """Stop the project's server. 'sublight up' brings it back.

    Runs on its nodes go on for as long as their lease (a minute, unless settings.json says otherwise). If the server is
    back by then, nothing has happened to them; if not, they are stopped, and start from the beginning once it is back.
    That uses up none of their retries. Sweeps go on where they were.

    \b
    Example:
      sublight stop
    """
    from sublight.core.amounts import counted, seconds_in_words
    from sublight.core.errors import InvalidInput, ServerUnavailable
    from sublight.sdk.client import API
    from sublight.sdk.discovery import is_answering

    found = _written(context)
    if found is None:
        raise InvalidInput("stop ends a project's own server only; this folder uses a server elsewhere")
    project, server = found
    if server is None:
        if as_json:
            print_json({"was_running": False, "project": str(project)})
        else:
            print(f"no server is running for {project}")
        return
    workspace = workspace_of(context)
    active = sum(cluster.view.active_runs for cluster in workspace.clusters)
    lease_seconds = workspace.details.lease_seconds
    workspace.client.post(f"{API}/shutdown", object)
    deadline = time.monotonic() + _STOP_TIMEOUT_SECONDS
    while is_answering(server) or _is_announced(project, server):
        if time.monotonic() > deadline:
            raise ServerUnavailable(
                f"the server of {project} (process {server.pid}) has not stopped after {_STOP_TIMEOUT_SECONDS:g} seconds"
            )
        time.sleep(_POLL_SECONDS)
    if as_json:
        print_json(
            {"was_running": True, "project": str(project), "active_runs": active, "lease_seconds": lease_seconds}
        )
        return
    print(f"the server of {project} has stopped; start it again with: sublight up")
    if active:
        go, they, start = ("goes", "it is", "starts") if active == 1 else ("go", "they are", "start")
        print(
            f"{counted(active, 'run')} on its nodes {go} on for {seconds_in_words(lease_seconds)} without the server; if "
            f"it is not back by then, {they} stopped, and {start} anew when it is"
        )


def serve(
    context: typer.Context,
    port: Annotated[int | None, typer.Option(help="The port to listen on; a free one when left out.")] = None,
) -> None:
    """Run the project's server in the foreground, until Ctrl-C.

    \b
    Example:
      sublight serve --port 8712
    """
    from sublight.sdk.discovery import find_project
    from sublight.wiring import serve as run_server

    raise typer.Exit(run_server(find_project(context.obj or Path.cwd()), port))


def _written(context: typer.Context) -> tuple[Path, WrittenServer | None] | None:
    """The project and its answering server (None: not up); None when a server elsewhere is configured."""
    import os

    from sublight.sdk import discovery

    if context.obj is None and discovery.endpoint_from_environment(os.environ) is not None:
        return None
    project = discovery.find_project(context.obj or Path.cwd())
    if discovery.configured_endpoint(project) is not None:
        return None
    server = discovery.written_server(project)
    return project, server if server is not None and discovery.is_answering(server) else None


def _is_announced(project: Path, server: WrittenServer) -> bool:
    from sublight.sdk.discovery import written_server

    return written_server(project) == server
