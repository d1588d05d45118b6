"""``sublight datastore``: folders of files that everybody in the workspace shares."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sublight.cli.output import ago, print_json, print_table
from sublight.cli.session import AsJson, workspace_of

app = typer.Typer(
    help="Look into the shared folders of the workspace, and move files in and out.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(help="The datastore's name.", show_default=False)]
Prefix = Annotated[
    str, typer.Argument(help="Only files whose path begins like this.", metavar="[PREFIX]", show_default=False)
]


@app.command("list")
def list_datastores(context: typer.Context, as_json: AsJson = False) -> None:
    """List the datastores, and where on the server their files lie.

    \b
    Example:
      sublight datastore list
    """
    found = workspace_of(context).datastores.list()
    if as_json:
        print_json([one.view for one in found])
        return
    rows = [(one.name + (" (default)" if one.is_default else ""), one.kind, one.location) for one in found]
    print_table(("datastore", "kind", "folder on the server"), rows)


@app.command()
def files(context: typer.Context, name: Name, prefix: Prefix = "", as_json: AsJson = False) -> None:
    """List the files of a datastore.

    \b
    Example:
      sublight datastore files workspaceblobstore weather/
    """
    from sublight.core.amounts import bytes_in_words

    found = workspace_of(context).datastores.get(name).files(prefix)
    if as_json:
        print_json(found)
        return
    rows = [(one.path, bytes_in_words(one.size_bytes), ago(one.modified)) for one in found]
    print_table(("file", "size", "changed"), rows, numbers=("size",))


@app.command()
def upload(
    context: typer.Context,
    name: Name,
    files: Annotated[
        list[Path], typer.Argument(help="Files or folders of this machine.", metavar="FILE...", show_default=False)
    ],
    to: Annotated[str, typer.Option(help="The folder of the datastore.", metavar="FOLDER", show_default=False)] = "",
    overwrites: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Upload files into a datastore, folders with all that is in them; files that are there stay unless told otherwise.

    \b
    Example:
      sublight datastore upload workspaceblobstore weather/ --to raw/2020 --overwrite
    """
    from sublight.core.amounts import counted
    from sublight.core.errors import InvalidInput
    from sublight.sdk.local_files import local_files

    named: dict[str, str | Path] = {}
    for file in files:
        if file.resolve().name in named:
            raise InvalidInput(f"{named[file.resolve().name]} and {file} have the same name; rename one of them")
        named[file.resolve().name] = file
    datastore = workspace_of(context).datastores.get(name)
    base = to.strip("/") + "/" if to.strip("/") else ""
    stored: list[str] = []
    kept: list[str] = []
    for path, place in sorted(local_files(named).items()):
        is_stored = datastore.upload(place, base + path, overwrite=overwrites)
        (stored if is_stored else kept).append(base + path)
    if as_json:
        print_json({"stored": stored, "kept": kept})
        return
    note = f"; {counted(len(kept), 'file')} there already, kept (--overwrite replaces)" if kept else ""
    print(f"{counted(len(stored), 'file')} stored in {name}{note}")


@app.command()
def download(
    context: typer.Context,
    name: Name,
    prefix: Prefix = "",
    to: Annotated[
        Path | None,
        typer.Option(help="The folder to write to; one with its name.", metavar="FOLDER", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Download files of a datastore, under their whole paths.

    \b
    Example:
      sublight datastore download workspaceblobstore raw/2020/ --to data
    """
    from sublight.core.amounts import counted
    from sublight.core.errors import NotFound

    folder = to or Path(name)
    written = workspace_of(context).datastores.get(name).download(folder, prefix)
    if not written:
        raise NotFound(f"datastore {name} has no file whose path begins with {prefix!r}")
    if as_json:
        print_json([str(file) for file in written])
    else:
        print(f"{counted(len(written), 'file')} written to {folder}")
