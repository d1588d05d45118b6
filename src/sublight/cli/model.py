"""``sublight model``: registered models with versions."""

from __future__ import annotations

import typer

from sublight.cli import assets
from sublight.cli.session import AsJson, workspace_of

app = typer.Typer(
    help="List, show, download and remove registered models.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("list")
def list_models(
    context: typer.Context,
    tag: assets.Tag = None,
    all_versions: assets.AllVersions = False,
    archived: assets.Archived = False,
    as_json: AsJson = False,
) -> None:
    """List the models, newest first.

    \b
    Example:
      sublight model list --all
    """
    workspace = workspace_of(context)
    assets.print_list(workspace, "model", tag=tag, all_versions=all_versions, archived=archived, as_json=as_json)


@app.command()
def show(context: typer.Context, name: assets.Name, version: assets.Version = None, as_json: AsJson = False) -> None:
    """Show a model: which run made it, its tags and files.

    \b
    Example:
      sublight model show newsgroups-classifier
    """
    assets.print_one(workspace_of(context).assets.get("model", name, version), as_json=as_json)


@app.command()
def download(
    context: typer.Context,
    name: assets.Name,
    path: assets.PathInside = None,
    version: assets.Version = None,
    to: assets.To = None,
    as_json: AsJson = False,
) -> None:
    """Download the files of a model.

    \b
    Example:
      sublight model download newsgroups-classifier --version 3 --to model
    """
    assets.download(workspace_of(context).assets.get("model", name, version), path, to, as_json=as_json)


@app.command()
def remove(
    context: typer.Context,
    name: assets.Name,
    version: assets.Version = None,
    all_versions: assets.AllToRemove = False,
    as_json: AsJson = False,
) -> None:
    """Remove a version of a model for good, or all of them.

    \b
    Example:
      sublight model remove newsgroups-classifier --version 1
    """
    workspace = workspace_of(context)
    assets.remove(workspace, "model", name, version=version, all_versions=all_versions, as_json=as_json)
