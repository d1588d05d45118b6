"""``sublight audit``: who changed what."""

from __future__ import annotations

from typing import Annotated

import typer

from sublight.cli.output import clock_time, print_json, print_table
from sublight.cli.session import AsJson, workspace_of


def audit(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many at most.", min=1, max=1000)] = 50,
    as_json: AsJson = False,
) -> None:
    """List who changed what, newest first.

    \b
    Example:
      sublight audit -n 10
    """
    entries = workspace_of(context).audit(limit)
    if as_json:
        print_json(entries)
        return
    rows = [(clock_time(one.time), one.person, one.action, one.subject, _detail(one.detail)) for one in entries]
    print_table(("time", "person", "did", "to", "detail"), rows)


def _detail(detail: dict[str, object]) -> str:
    return ", ".join(f"{key} {value}" for key, value in detail.items())
