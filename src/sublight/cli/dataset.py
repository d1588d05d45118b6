"""``sublight dataset``: named data with versions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sublight.cli import assets
from sublight.cli.output import print_json
from sublight.cli.session import AsJson, key_value_pairs, workspace_of

app = typer.Typer(
    help="Register, list, show, download and remove datasets.", no_args_is_help=True, rich_markup_mode=None
)

TYPES = ("tabular", "file")
TRUE_FALSE = ("words", "yes-no", "none")
# What a file's name says about its form: the form, and options that follow from it.
_FORMS: dict[str, tuple[str, dict[str, str]]] = {
    ".csv": ("delimited", {}),
    ".tsv": ("delimited", {"separator": "\t"}),
    ".parquet": ("parquet", {}),
    ".json": ("json", {}),
    ".jsonl": ("json", {}),
}


@app.command()
def register(
    context: typer.Context,
    name: assets.Name,
    files: Annotated[
        list[Path], typer.Argument(help="Files or folders of this machine.", metavar="FILE...", show_default=False)
    ],
    description: Annotated[str, typer.Option(help="A line for people.", metavar="TEXT", show_default=False)] = "",
    tag: Annotated[
        list[str] | None, typer.Option(help="A tag; may be repeated.", metavar="KEY=VALUE", show_default=False)
    ] = None,
    type: Annotated[
        str | None,
        typer.Option(
            help="tabular or file; without it, CSV, TSV, Parquet and JSON files are tabular.",
            metavar="TYPE",
            show_default=False,
        ),
    ] = None,
    separator: Annotated[
        str | None,
        typer.Option(help="What stands between columns; \\t is a tab.", metavar="TEXT", show_default=False),
    ] = None,
    has_header: Annotated[
        bool, typer.Option("--header/--no-header", help="Whether files begin with their columns' names.")
    ] = True,
    encoding: Annotated[
        str | None, typer.Option(help="How text is written; utf8 unless named.", metavar="NAME", show_default=False)
    ] = None,
    true_false: Annotated[
        str | None,
        typer.Option(
            help="Which columns become booleans: words (true and false), yes-no (these, too), or none.",
            metavar="RULE",
            show_default=False,
        ),
    ] = None,
    infers_types: Annotated[
        bool, typer.Option("--types/--no-types", help="Whether columns get types; else all stay text.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Copy files into the workspace as a dataset; a name that is there gets its next version.

    \b
    Example:
      sublight dataset register newsgroups train.csv --separator ';' --tag source=web
      sublight dataset register pictures photos/
    """
    from sublight.core.errors import InvalidInput

    named, paths = _named_files(files)
    form, options = _form_of(files, type)
    if form != "delimited":
        given = {
            "--separator": separator,
            "--encoding": encoding if form != "json" else None,
            "--true-false": true_false,
        }
        wrong = [option for option, value in given.items() if value is not None]
        if wrong or not has_header:
            raise InvalidInput(f"{wrong[0] if wrong else '--no-header'} is for tabular datasets of CSV or TSV files")
    if separator is not None:
        options["separator"] = separator.replace("\\t", "\t")
    if encoding is not None:
        options["encoding"] = encoding
    if form == "delimited" and not has_header:
        options["header"] = "none"
    if true_false is not None:
        options["true_false"] = checked_true_false(true_false)
    if form == "delimited" and not infers_types:
        options["infer_column_types"] = False
    definition = {
        "type": "file" if form == "files" else "tabular",
        "format": form,
        "options": options,
        "paths": paths,
        "steps": [],
    }
    asset = workspace_of(context).assets.register(
        "dataset",
        name,
        files=named,
        description=description,
        tags=key_value_pairs(tag, "--tag"),
        definition=definition,
    )
    if as_json:
        print_json(asset.view)
    else:
        from sublight.core.amounts import bytes_in_words, counted

        size = f"{counted(asset.files_count, 'file')}, {bytes_in_words(asset.size_bytes)}"
        print(f"{definition['type']} dataset {asset.name} is registered as version {asset.version} ({size})")


@app.command("list")
def list_datasets(
    context: typer.Context,
    tag: assets.Tag = None,
    all_versions: assets.AllVersions = False,
    archived: assets.Archived = False,
    as_json: AsJson = False,
) -> None:
    """List the datasets, newest first.

    \b
    Example:
      sublight dataset list --tag source=web
    """
    workspace = workspace_of(context)
    assets.print_list(workspace, "dataset", tag=tag, all_versions=all_versions, archived=archived, as_json=as_json)


@app.command()
def show(context: typer.Context, name: assets.Name, version: assets.Version = None, as_json: AsJson = False) -> None:
    """Show a dataset: how it is read, and its files.

    \b
    Example:
      sublight dataset show newsgroups --version 2
    """
    assets.print_one(workspace_of(context).assets.get("dataset", name, version), as_json=as_json)


@app.command()
def download(
    context: typer.Context,
    name: assets.Name,
    path: assets.PathInside = None,
    version: assets.Version = None,
    to: assets.To = None,
    as_json: AsJson = False,
) -> None:
    """Download the files of a dataset.

    \b
    Example:
      sublight dataset download newsgroups --to data
    """
    assets.download(workspace_of(context).assets.get("dataset", name, version), path, to, as_json=as_json)


@app.command()
def remove(
    context: typer.Context,
    name: assets.Name,
    version: assets.Version = None,
    all_versions: assets.AllToRemove = False,
    as_json: AsJson = False,
) -> None:
    """Remove a version of a dataset for good, or all of them.

    \b
    Example:
      sublight dataset remove newsgroups --version 1
    """
    workspace = workspace_of(context)
    assets.remove(workspace, "dataset", name, version=version, all_versions=all_versions, as_json=as_json)


def checked_true_false(rule: str) -> str:
    """The rule itself; InvalidInput names the rules when it is none."""
    from sublight.core.errors import InvalidInput

    if rule not in TRUE_FALSE:
        raise InvalidInput(f"--true-false takes {', '.join(TRUE_FALSE)}, got {rule!r}")
    return rule


def _named_files(files: list[Path]) -> tuple[dict[str, str | Path], list[dict[str, str]]]:
    """Each path in the dataset with its file, and the definition's paths; a single folder gives its files as they are."""
    from sublight.core.errors import InvalidInput

    named: dict[str, str | Path] = {}
    paths = []
    for file in files:
        name = file.resolve().name
        if file.is_dir() and len(files) == 1:
            name = ""
        if name in named:
            raise InvalidInput(f"{named[name]} and {file} have the same name; rename one of them")
        named[name] = file
        inside = f"{name}/**" if name else "**"
        paths.append({"asset_file": inside if file.is_dir() else name})
    return named, paths


def _form_of(files: list[Path], type: str | None) -> tuple[str, dict[str, Any]]:
    """How the files are read (``delimited``, ``parquet``, ``json``, or ``files`` for not at all), with first options."""
    from sublight.core.errors import InvalidInput

    if type not in (*TYPES, None):
        raise InvalidInput(f"--type takes {' or '.join(TYPES)}, got {type!r}")
    suffixes = {"" if file.is_dir() else file.suffix.lower() for file in files}
    suffix = suffixes.pop() if len(suffixes) == 1 else ""
    if type == "file" or (type is None and suffix not in _FORMS):
        return "files", {}
    # Whoever says that other files are tables has text with columns, such as .txt or .data.
    form, options = _FORMS.get(suffix, ("delimited", {}))
    return form, dict(options)
