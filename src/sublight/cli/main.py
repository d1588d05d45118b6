"""The command ``sublight``: its commands, and how a failure is told."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from sublight import __version__
from sublight.cli import (
    audit,
    azureml,
    cluster,
    compare,
    data,
    dataset,
    datastore,
    model,
    people,
    run,
    server,
    submit,
    token,
)
from sublight.core.errors import InvalidInput, NotSupported, SublightError, TooLarge

DEBUG_VARIABLE = "SUBLIGHT_DEBUG"

# The order in which a newcomer meets the commands; a test sees that none is missing.
SECTIONS = {
    "Start and submit": ("up", "submit", "watch"),
    "Look and change": ("run", "cluster", "compare"),
    "Data and models": ("dataset", "data", "datastore", "model"),
    "Azure ML v1": ("azureml",),
    "Server": ("status", "stop", "serve"),
    "People": ("people", "token", "audit"),
}


class _Sections(TyperGroup):
    """Lists the commands by section. Plain text: the drawing library alone would take longer than all the rest."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  # the signature is Typer's
        """Write the list of commands below the options."""
        for title, names in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, self.commands[name].get_short_help_str(90)) for name in names])


app = typer.Typer(
    name="sublight",
    cls=_Sections,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
for command in (server.up, submit.submit, submit.watch, compare.compare, server.status, server.stop, server.serve):
    app.command(command.__name__)(command)
app.command("audit")(audit.audit)
for group in (run, cluster, dataset, data, datastore, model, azureml, people, token):
    app.add_typer(group.app, name=group.__name__.rpartition(".")[2])


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        print(f"sublight {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    project: Annotated[
        Path | None,
        typer.Option("--project", "-C", help="Act as if started in this folder.", metavar="FOLDER"),
    ] = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Remote compute and hyperparameter sweeps on machines you own.

    \b
    Example:
      sublight up
      sublight cluster create cpu --size STANDARD_D3_V2 --max-nodes 4
      sublight submit sweep.yml --on cpu --wait
    """
    context.obj = project


def main() -> int:
    """Run the command line; every failure is one line on standard error, and an exit code.

    2: the request was wrong; 1: it failed; 130: Ctrl-C. SUBLIGHT_DEBUG=1 shows the whole traceback instead.
    """
    try:
        app(prog_name="sublight")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        print(f"sublight: {_sentence(error)}", file=sys.stderr)
        return 2 if isinstance(error, (InvalidInput, TooLarge, NotSupported)) else 1
    return 0


def _sentence(error: Exception) -> str:
    if isinstance(error, (SublightError, TimeoutError)):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return f"unexpected {type(error).__name__}: {error} ({DEBUG_VARIABLE}=1 shows where)"


if __name__ == "__main__":
    sys.exit(main())
