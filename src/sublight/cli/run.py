"""``sublight run``: look at runs, and change them."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sublight.cli.output import (
    ago,
    clock_time,
    duration,
    for_terminal,
    number,
    price,
    print_facts,
    print_json,
    print_table,
)
from sublight.cli.session import AsJson, RunId, key_value_pairs, run_of, workspace_of
from sublight.core.errors import NotFound, SublightError

if TYPE_CHECKING:
    from rich.text import Text

    from sublight.messages.runs import RunView
    from sublight.sdk.run import Run

app = typer.Typer(
    help="List, show, cancel and download runs; read their logs and metrics.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_runs(
    context: typer.Context,
    experiment: Annotated[
        str | None, typer.Option("--experiment", "-e", help="Only of this experiment.", metavar="NAME")
    ] = None,
    status: Annotated[
        list[str] | None, typer.Option(help="Only in this status; may be repeated.", metavar="STATUS")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="Only script, sweep, interactive, trial or child.", metavar="KIND")
    ] = None,
    on: Annotated[str | None, typer.Option(help="Only on this cluster, or local.", metavar="CLUSTER")] = None,
    search: Annotated[str | None, typer.Option(help="Only with this text in id or name.", metavar="TEXT")] = None,
    tag: Annotated[str | None, typer.Option(help="Only with this tag.", metavar="KEY[=VALUE]")] = None,
    end_reason: Annotated[
        str | None, typer.Option(help="Only ended so: policy (early), timeout, user, error …", metavar="REASON")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many at most.", metavar="COUNT", min=1)] = 20,
    as_json: AsJson = False,
) -> None:
    """List runs, newest first.

    \b
    Example:
      sublight run list --status running --status queued
    """
    from sublight.sdk.progress import status_text

    views = [
        run.view
        for run in workspace_of(context).runs(
            experiment=experiment,
            status=status,
            kind=kind,
            target=on,
            search=search,
            tag=tag,
            end_reason=end_reason,
            limit=limit,
        )
    ]
    if as_json:
        print_json(views)
        return
    rows = [
        (view.id, view.experiment, view.target, status_text(view), _result_of(view), ago(view.created), _took(view))
        for view in views
    ]
    is_filtered = any((experiment, status, kind, on, search, tag, end_reason))
    empty = (
        "no run fits; leave out a filter to see more"
        if is_filtered
        else "there is no run yet; submit one: sublight submit train.py --on local"
    )
    print_table(("run", "experiment", "on", "status", "result", "submitted", "time"), rows, empty=empty)


@app.command()
def show(context: typer.Context, run_id: RunId = None, as_json: AsJson = False) -> None:
    """Show one run: where it stands and why, its arguments, metrics, records and files.

    \b
    Example:
      sublight run show sweep-abcd2345
    """
    from sublight.sdk.picture import best_in_words, counts_in_words, parameters_in_words
    from sublight.sdk.progress import status_text

    run = run_of(workspace_of(context), run_id)
    view = run.view
    if as_json:
        print_json(view)
        return
    what = view.sweep.trial if view.sweep else view.script
    facts: list[tuple[str, str | Text]] = [
        ("run", view.id),
        ("name", view.name if view.name != view.id else ""),
        ("description", view.description),
        ("kind", f"{view.kind} of experiment {view.experiment}"),
        ("parent", view.parent_id or ""),
        ("on", view.target + (f", node {view.node_id}" if view.node_id else "")),
        ("status", status_text(view)),
        ("why", view.reason),
        ("submitted", f"{clock_time(view.created)} by {view.created_by}"),
        ("started", clock_time(view.started)),
        ("ended", clock_time(view.ended)),
        ("time", _took(view)),
        ("attempt", str(view.attempt) if view.attempt > 1 else ""),
        ("exit code", "" if view.exit_code is None else str(view.exit_code)),
        ("script", (what.script or "") if what else ""),
        ("command", view.command or (what.command if what else "") or ""),
        ("arguments", shlex.join(view.arguments)),
        ("parameters", parameters_in_words(view.parameters)),
        ("trials", counts_in_words(view.progress) if view.progress else ""),
        ("best", best_in_words(view).removeprefix("best ") if view.progress and view.progress.best else ""),
        ("metrics", ", ".join(f"{name} {number(value)}" for name, value in run.metrics.items())),
        ("records", _records_in_words(run)),
        ("files", _files_in_words(run)),
        ("node time", duration(view.node_seconds) if view.node_seconds else ""),
        ("price", price(view.price)),
        ("tags", ", ".join(f"{key}={value}" for key, value in view.tags.items())),
        ("properties", ", ".join(f"{key}={value}" for key, value in view.properties.items())),
    ]
    print_facts(facts)


def _records_in_words(run: Run) -> str:
    """``1 table (per class), 2 images (confusion, roc)``: what was logged besides scalars."""
    from sublight.core.amounts import counted

    by_kind: dict[str, list[str]] = {}
    for record in run.records():
        by_kind.setdefault(record.kind.replace("_", " "), []).append(record.name)
    return ", ".join(
        f"{counted(len(names), kind)} ({', '.join(dict.fromkeys(names))})" for kind, names in by_kind.items()
    )


def _files_in_words(run: Run) -> str:
    from sublight.core.amounts import bytes_in_words, counted

    artifacts = run.artifacts()
    if not artifacts:
        return ""
    size = bytes_in_words(sum(one.size_bytes for one in artifacts))
    return f"{counted(len(artifacts), 'file')}, {size}; list them: sublight run download {run.id} --list"


@app.command()
def trials(
    context: typer.Context,
    run_id: RunId = None,
    by_value: Annotated[bool, typer.Option("--best", help="Best first instead of in their order.")] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", help="How many at most.", metavar="COUNT", min=1)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the trials of a sweep, or the children of a run.

    \b
    Example:
      sublight run trials sweep-abcd2345 --best -n 5
    """
    from sublight.core.metric import Direction, Goal
    from sublight.sdk.picture import parameters_in_words
    from sublight.sdk.progress import status_text

    run = run_of(workspace_of(context), run_id)
    views = [trial.view for trial in run.trials()]
    sweep = run.view.sweep
    if by_value and sweep is not None:
        goal = Goal(sweep.metric, Direction(sweep.direction))
        views.sort(key=lambda view: goal.sort_key(view.best_value))
    views = views[:limit]
    if as_json:
        print_json(views)
        return
    metric = sweep.metric if sweep else "result"
    rows = [
        (
            str(view.index) if view.index is not None else view.id,
            status_text(view),
            number(view.best_value),
            parameters_in_words(view.parameters),
            view.node_id or "",
            _took(view),
        )
        for view in views
    ]
    print_table(("trial", "status", metric, "parameters", "node", "time"), rows, numbers=("trial", metric))


@app.command()
def logs(
    context: typer.Context,
    run_id: RunId = None,
    follows: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run has ended.")] = False,
    path: Annotated[str | None, typer.Option(help="Another log than what the script printed.", metavar="PATH")] = None,
    attempt: Annotated[
        int | None, typer.Option(help="Of an earlier attempt, after a lost node.", metavar="NUMBER", min=1)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print what a script printed. With --json, list the logs that there are.

    \b
    Example:
      sublight run logs sweep-abcd2345-7 -f
    """
    from sublight.messages.journal import STANDARD_LOG

    run = run_of(workspace_of(context), run_id)
    if path is not None and not follows and path not in {log.path for log in run.log_files()}:
        known = ", ".join(log.path for log in run.log_files())
        raise NotFound(f"run {run.id} has no log {path!r}; it has {known or 'none yet'}")
    if as_json:
        print_json(run.log_files())
    elif follows:
        run.stream_logs(path or STANDARD_LOG)
    else:
        text = run.logs(path or STANDARD_LOG, attempt)
        sys.stdout.write(for_terminal(text) if sys.stdout.isatty() else text)


@app.command()
def metrics(
    context: typer.Context,
    run_id: RunId = None,
    name: Annotated[
        str | None, typer.Option("--name", help="All points of this metric: step, value, time.", metavar="METRIC")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the metrics of a run, or all points of one.

    \b
    Example:
      sublight run metrics sweep-abcd2345-7 --name accuracy
    """
    run = run_of(workspace_of(context), run_id)
    if name is not None:
        series = run.series(name)
        if not series.values:
            known = ", ".join(one.name for one in run.metric_summaries())
            raise NotFound(f"run {run.id} has no metric {name!r}; it has {known or 'none'}")
        if as_json:
            print_json(series)
        else:
            points = zip(series.steps, series.values, series.times, strict=True)
            rows = [(str(step), number(value), clock_time(moment)) for step, value, moment in points]
            print_table(("step", name, "logged"), rows, numbers=("step", name))
        return
    summaries = run.metric_summaries()
    if as_json:
        print_json(summaries)
        return
    rows_of_all = [
        (one.name, str(one.count), number(one.last), number(one.least), number(one.greatest)) for one in summaries
    ]
    headings = ("metric", "points", "last", "least", "greatest")
    print_table(headings, rows_of_all, numbers=headings[1:])


@app.command()
def cancel(
    context: typer.Context,
    run_ids: Annotated[list[str], typer.Argument(help="The runs' ids.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Ask runs to end; a sweep with all its trials.

    \b
    Example:
      sublight run cancel sweep-abcd2345
    """
    workspace = workspace_of(context)
    views: list[RunView] = []
    failures: list[SublightError] = []
    for run_id in run_ids:
        try:
            views.append(workspace.run(run_id).cancel().view)
        except SublightError as error:
            if len(run_ids) == 1:
                raise
            failures.append(error)  # the others are still to be canceled
    if as_json:
        print_json(views)
    else:
        for view in views:
            print(f"{view.id} is {view.status}" + (f": {view.reason}" if view.reason else ""))
    for failure in failures:
        print(f"sublight: {failure}", file=sys.stderr)
    if failures:
        raise typer.Exit(1)


@app.command()
def download(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(help="The run's id.", show_default=False)],
    path: Annotated[str | None, typer.Argument(help="One file or folder of it; everything when left out.")] = None,
    to: Annotated[
        Path | None, typer.Option(help="The folder to write to; one named after the run.", metavar="FOLDER")
    ] = None,
    lists: Annotated[bool, typer.Option("--list", "-l", help="Only list the files.")] = False,
    as_json: AsJson = False,
) -> None:
    """Download the files that a run left behind, or list them.

    \b
    Example:
      sublight run download sweep-abcd2345-7 outputs --to model
    """
    from sublight.core.amounts import bytes_in_words, counted

    run = workspace_of(context).run(run_id)
    if lists:
        artifacts = run.artifacts()
        if as_json:
            print_json(artifacts)
        else:
            rows = [(one.path, bytes_in_words(one.size_bytes), ago(one.created)) for one in artifacts]
            print_table(("file", "size", "stored"), rows, numbers=("size",))
        return
    folder = to or Path(run.id)
    files = run.download(folder, path)
    if as_json:
        print_json([str(file) for file in files])
    else:
        print(f"{counted(len(files), 'file')} written to {folder}")


@app.command()
def tag(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(help="The run's id.", show_default=False)],
    tags: Annotated[list[str], typer.Argument(help="KEY=VALUE to set; KEY= to remove.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Set and remove tags of a run.

    \b
    Example:
      sublight run tag sweep-abcd2345 team=red stage=
    """
    changes = {key: value or None for key, value in key_value_pairs(tags, "tag").items()}
    run = workspace_of(context).run(run_id).tag(**changes)
    if as_json:
        print_json(run.view)
    else:
        print(f"{run.id}: " + (", ".join(f"{key}={value}" for key, value in run.tags.items()) or "no tags"))


@app.command()
def events(context: typer.Context, run_id: RunId = None, as_json: AsJson = False) -> None:
    """Show what was decided about a run, and why.

    \b
    Example:
      sublight run events sweep-abcd2345-7
    """
    found = run_of(workspace_of(context), run_id).events()
    if as_json:
        print_json(found)
    else:
        print_table(("time", "event", "why"), [(clock_time(one.time), one.kind, one.reason) for one in found])


def _result_of(view: RunView) -> str:
    if view.progress is not None and view.sweep is not None:
        best = view.progress.best
        ended = f"{view.progress.trials_created - view.progress.trials_active}/{view.progress.trials_max} trials"
        return ended + (f", best {view.sweep.metric} {number(best.value)}" if best else "")
    return ", ".join(f"{name} {number(value)}" for name, value in list(view.metrics.items())[:2])


def _took(view: RunView) -> str:
    if view.started is None:
        return ""
    return duration((view.ended or time.time()) - view.started)
