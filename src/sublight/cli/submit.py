"""``sublight submit`` and ``sublight watch``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sublight.cli.output import print_json
from sublight.cli.session import AsJson, RunId, key_value_pairs, run_of, workspace_of

if TYPE_CHECKING:
    from sublight.messages.runs import RunView
    from sublight.sdk.run import Run
    from sublight.sdk.sweep_file import Job


def submit(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="A job file (.yml) or a script (.py).", metavar="FILE", show_default=False)
    ],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(help="For a script: its arguments, after --.", metavar="[-- ARGUMENTS]", show_default=False),
    ] = None,
    on: Annotated[
        str | None,
        typer.Option(
            help="The cluster, or local; wins over the file's compute.", metavar="CLUSTER", show_default=False
        ),
    ] = None,
    experiment: Annotated[
        str | None,
        typer.Option("--experiment", "-e", help="The experiment; else the file's.", metavar="NAME", show_default=False),
    ] = None,
    name: Annotated[str | None, typer.Option(help="A name for people.", metavar="TEXT", show_default=False)] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="A tag; may be repeated.", metavar="KEY=VALUE", show_default=False)
    ] = None,
    environment: Annotated[
        str | None,
        typer.Option(
            help="current (the nodes' own Python), requirements.txt or conda.yml; wins over the file's.",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    relaxes_pins: Annotated[
        bool, typer.Option("--relax-pins", help="Where a pinned version cannot be had, take the nearest that can.")
    ] = False,
    waits: Annotated[bool, typer.Option("--wait", "-w", help="Watch it until it has ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """Submit a sweep or a script.

    A job file follows the YAML of Azure ML v2 sweep and command jobs. A script is sent with the folder it lies in.

    \b
    Example:
      sublight submit examples/newsgroups/sweep.yml --on hypercomputecpu
      sublight submit train.py --on local --wait -- --num_epochs 5
      sublight submit train.py --environment requirements.txt --relax-pins
    """
    job = _job_of(file, arguments or [], environment, relaxes_pins)
    for note in job.notes:
        print(f"sublight: {note}", file=sys.stderr)
    workspace = workspace_of(context)
    run = workspace.experiment(experiment or job.experiment).submit(
        job.what,
        on=on or job.target or "local",
        name=name or job.name,
        tags={**job.tags, **key_value_pairs(tag, "--tag")},
        properties=job.properties,
    )
    if not as_json:
        print(f"submitted {run.id} to {run.target}" + ("" if waits else f"; watch it with: sublight watch {run.id}"))
    if waits:
        run.wait(progress=not as_json)
    if as_json:
        print_json(run.view)
    if waits:
        _exit_as(run.view)


def watch(context: typer.Context, run_id: RunId = None, as_json: AsJson = False) -> None:
    """Watch a run until it has ended: trials, nodes, the best so far, or a script's log. Ctrl-C leaves it going.

    The exit code is 0 when the run completed and 1 when it did not.

    \b
    Example:
      sublight watch
    """
    workspace = workspace_of(context)
    run = run_of(workspace, run_id) if run_id else _newest_active(workspace.runs(limit=20)) or run_of(workspace, None)
    run.wait(progress=not as_json)
    if as_json:
        print_json(run.view)
    _exit_as(run.view)


def _newest_active(newest_first: list[Run]) -> Run | None:
    return next((run for run in newest_first if not run.is_finished), None)


def _exit_as(view: RunView) -> None:
    from sublight.sdk.waiting import has_succeeded

    if not has_succeeded(view):
        raise typer.Exit(1)


def _job_of(file: Path, arguments: list[str], environment: str | None, relaxes_pins: bool) -> Job:
    from sublight.core.errors import InvalidInput
    from sublight.sdk.environment import environment_notes, environment_of
    from sublight.sdk.script import Script
    from sublight.sdk.sweep_file import Job, read_job

    if file.suffix in (".yml", ".yaml"):
        if arguments:
            raise InvalidInput(f"arguments after -- are for a script; write them into the command of {file.name}")
        return read_job(file, environment=environment, relax_pins=relaxes_pins)
    if file.suffix == ".py":
        built = environment_of(environment, relax_pins=relaxes_pins)
        script = Script(file.name, source=file.parent, arguments=arguments, environment=built or "current")
        notes = () if built is None else tuple(environment_notes(built))
        return Job(script, script.source.name or "default", None, None, {}, {}, notes)
    raise InvalidInput(f"submit takes a job file (.yml) or a script (.py), got {file}")
