"""``sublight token``: what programs and other machines show to be let in."""

from __future__ import annotations

from typing import Annotated

import typer

from sublight.cli.output import ago, clock_time, print_json, print_table
from sublight.cli.session import AsJson, workspace_of

app = typer.Typer(
    help="Make and end tokens, by which programs act for a person.", no_args_is_help=True, rich_markup_mode=None
)


@app.command()
def create(
    context: typer.Context,
    person: Annotated[str, typer.Argument(help="Whom it acts for.", show_default=False)],
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    days: Annotated[float | None, typer.Option(help="How many days it is valid; for ever when left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it. It is shown this once.

    \b
    Example:
      sublight token create eva --label laptop --days 90
    """
    workspace = workspace_of(context)
    token = workspace.tokens.create(person, label=label, days_valid=days)
    if as_json:
        print_json(token)
        return
    print(f"token {token.id} for {person}; it is not shown again:")
    print(f"SUBLIGHT_URL={workspace.url}")
    print(f"SUBLIGHT_TOKEN={token.secret}")


@app.command("list")
def list_tokens(context: typer.Context, as_json: AsJson = False) -> None:
    """List the tokens, without their secrets.

    \b
    Example:
      sublight token list
    """
    tokens = workspace_of(context).tokens.list()
    if as_json:
        print_json(tokens)
        return
    rows = [(one.id, one.person, one.label, ago(one.created), clock_time(one.expires)) for one in tokens]
    print_table(("token", "person", "label", "made", "ends"), rows)


@app.command()
def revoke(
    context: typer.Context,
    token_id: Annotated[str, typer.Argument(help="The token's id.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """End a token at once.

    \b
    Example:
      sublight token revoke TOKEN
    """
    workspace_of(context).tokens.revoke(token_id)
    print_json({"revoked": token_id}) if as_json else print(f"token {token_id} is no longer valid")
