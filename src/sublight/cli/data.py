"""``sublight data``: public addresses that stand for files of the workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sublight.cli.dataset import checked_true_false
from sublight.cli.output import ago, print_json, print_table
from sublight.cli.session import AsJson, workspace_of

app = typer.Typer(help="Map public addresses to files of your own.", no_args_is_help=True, rich_markup_mode=None)

Url = Annotated[str, typer.Argument(help="The address as scripts write it.", metavar="URL", show_default=False)]


@app.command("map")
def map_address(
    context: typer.Context,
    url: Url,
    file: Annotated[Path, typer.Argument(help="The file that stands for it.", metavar="FILE", show_default=False)],
    true_false: Annotated[
        str | None,
        typer.Option(
            help="Which columns become booleans: words (true and false), yes-no (these, too), or none.",
            metavar="RULE",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Copy a file into the workspace in the place of an address that cannot be reached (any more).

    \b
    Example:
      sublight data map https://example.org/data/titanic.csv titanic.csv
    """
    from sublight.core.errors import InvalidInput

    if not file.is_file():
        raise InvalidInput(f"an address stands for one file, and {file} is not one")
    definition: dict[str, Any] = {}
    if true_false is not None:
        definition["options"] = {"true_false": checked_true_false(true_false)}
    name = file.resolve().name
    asset = workspace_of(context).assets.register("address", url, files={name: file}, definition=definition)
    print_json(asset.view) if as_json else print(f"{url} now stands for a copy of {file}")


@app.command()
def maps(context: typer.Context, as_json: AsJson = False) -> None:
    """List the addresses that are mapped.

    \b
    Example:
      sublight data maps
    """
    from sublight.core.amounts import bytes_in_words

    found = workspace_of(context).assets.list("address", is_latest_only=True)
    if as_json:
        print_json([one.view for one in found])
        return
    rows = [(one.name, bytes_in_words(one.size_bytes), ago(one.created), one.created_by) for one in found]
    print_table(("address", "size", "mapped", "by"), rows, numbers=("size",))


@app.command()
def unmap(context: typer.Context, url: Url, as_json: AsJson = False) -> None:
    """Take an address out of the map, with the copies that stood for it.

    \b
    Example:
      sublight data unmap https://example.org/data/titanic.csv
    """
    assets = workspace_of(context).assets
    assets.get("address", url)  # says which one was meant when it is not there
    for asset in assets.list("address", name=url, includes_archived=True):
        asset.delete()
    print_json({"unmapped": url}) if as_json else print(f"{url} is not mapped any more")
