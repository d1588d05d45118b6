"""``sublight azureml``: what becomes of scripts written for the SDK v1. Found by Sublight's command line as an entry point."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Scripts and notebooks of the Azure ML SDK v1.", no_args_is_help=True, rich_markup_mode=None)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of lines for people.")]


@app.command()
def check(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(help="A folder, a script or a notebook.", metavar="FOLDER", show_default=False)
    ],
    shows_all: Annotated[bool, typer.Option("--all", help="List what simply works, too.")] = False,
    tries: Annotated[
        bool,
        typer.Option("--run", help="Run each file that submits, up to the submission; nothing is placed on compute."),
    ] = False,
    in_workspace: Annotated[
        bool,
        typer.Option(
            "--in-workspace",
            help="With --run: use the present workspace, so that its datasets are found, not an empty one.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say of every use of the SDK v1 whether it works, works differently, is ignored or is not supported.

    Nothing is run and nothing is changed, unless --run is given, which works in a copy of the folder.

    \b
    Example:
      sublight azureml check notebooks/
      sublight azureml check train_submit.py --run
    """
    from azureml._check.report import check as checked
    from sublight.sdk.errors import InvalidInput

    if not folder.exists():
        raise InvalidInput(f"a folder, a script or a notebook was expected, and there is nothing at {folder}")
    if in_workspace and not tries:
        raise InvalidInput("--in-workspace says where --run works; give both")
    report = checked(folder)
    if tries:
        from azureml._check.trying import try_submissions

        try_submissions(folder, report, environment=_present_workspace(context) if in_workspace else None)
    if as_json:
        print(json.dumps(report.as_json(), indent=2))
        return
    for file in report.files:
        for line in file.lines(shows_all=shows_all):
            print(line)
        print(f"{file.shown}: {file.verdict}")
        if file.submission:
            print(f"{file.shown}: {file.submission}")
        print()
    for sentence in report.summary():
        print(sentence)


@app.command(name="list")
def list_support(as_json: AsJson = False) -> None:
    """Print every name of the SDK v1 with what becomes of it, class by class (Markdown, the text of docs/azureml.md).

    \b
    Example:
      sublight azureml list
      sublight azureml list | grep -A12 "### HyperDriveConfig"
    """
    from azureml._features.document import document
    from azureml._features.table import table

    if as_json:
        found = table()
        rows = [
            {"class": owner.name, "name": one.name, "status": one.status.value, "how": one.how}
            for owner in found.owners.values()
            for one in found.features(owner)
        ]
        print(json.dumps(rows, indent=2))
        return
    print(document(), end="")


@app.command()
def coverage(as_json: AsJson = False) -> None:
    """Count how much of the SDK v1 works: of what people use, and of what was documented.

    \b
    Example:
      sublight azureml coverage
    """
    from azureml._features.coverage import coverage as counted
    from azureml._features.coverage import sentences

    found = counted()
    if as_json:
        print(json.dumps(found.as_json(), indent=2))
        return
    for sentence in sentences(found):
        print(sentence)
    print()
    for name, counts in found.classes.items():
        words = ", ".join(
            f"{counts[status]} {status}" for status in ("works", "differs", "ignored", "refused") if counts[status]
        )
        print(f"{name}: {words}")


def _present_workspace(context: typer.Context) -> dict[str, str]:
    from sublight import Workspace

    endpoint = Workspace.from_config(context.obj).client.endpoint
    return {"SUBLIGHT_URL": endpoint.url, "SUBLIGHT_TOKEN": endpoint.token or ""}
