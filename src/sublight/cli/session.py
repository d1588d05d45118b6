"""What every command needs: the workspace that is meant, and the run that is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sublight.sdk.run import Run
    from sublight.sdk.workspace import Workspace

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table for people.")]
RunId = Annotated[str | None, typer.Argument(help="The run's id; the newest run when left out.", show_default=False)]


def workspace_of(context: typer.Context) -> Workspace:
    """The workspace of the present folder (or of --project); its server is started when it is not up."""
    from sublight.sdk.workspace import Workspace

    return Workspace.from_config(context.obj)


def run_of(workspace: Workspace, run_id: str | None) -> Run:
    """The run of this id, or the newest script or sweep; NotFound when there is none yet."""
    from sublight.core.errors import NotFound

    if run_id is not None:
        return workspace.run(run_id)
    newest = workspace.runs(limit=1)
    if not newest:
        raise NotFound("there are no runs in this workspace yet; submit one with 'sublight submit FILE'")
    return newest[0]


def key_value_pairs(pairs: list[str] | None, option: str) -> dict[str, str]:
    """``["team=red"]`` as a mapping; InvalidInput names the option when a pair has no ``=``."""
    from sublight.core.errors import InvalidInput

    values: dict[str, str] = {}
    for pair in pairs or []:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise InvalidInput(f"{option} takes KEY=VALUE, got {pair!r}")
        values[key] = value
    return values
