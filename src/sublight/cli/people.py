"""``sublight people``: who may do what in the workspace."""

from __future__ import annotations

from typing import Annotated

import typer

from sublight.cli.output import ago, print_json, print_table
from sublight.cli.session import AsJson, workspace_of

app = typer.Typer(help="Say who may do what in the workspace.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="The person's name.", show_default=False)]
Roles = Annotated[
    list[str],
    typer.Option("--role", help="reader, data scientist, compute operator or owner; may be repeated.", metavar="ROLE"),
]


@app.command()
def add(context: typer.Context, name: Name, role: Roles, as_json: AsJson = False) -> None:
    """Add a person. Give them a token with 'sublight token create NAME'.

    \b
    Example:
      sublight people add eva --role "data scientist"
    """
    person = workspace_of(context).people.add(name, role)
    print_json(person) if as_json else print(f"{person.name} is now {', '.join(person.roles)}")


@app.command("list")
def list_people(context: typer.Context, as_json: AsJson = False) -> None:
    """List everyone.

    \b
    Example:
      sublight people list
    """
    people = workspace_of(context).people.list()
    if as_json:
        print_json(people)
    else:
        print_table(
            ("person", "roles", "added"), [(one.name, ", ".join(one.roles), ago(one.created)) for one in people]
        )


@app.command()
def update(context: typer.Context, name: Name, role: Roles, as_json: AsJson = False) -> None:
    """Give a person other roles.

    \b
    Example:
      sublight people update eva --role "compute operator" --role "data scientist"
    """
    person = workspace_of(context).people.update(name, role)
    print_json(person) if as_json else print(f"{person.name} is now {', '.join(person.roles)}")


@app.command()
def remove(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Take a person out; their tokens end at once.

    \b
    Example:
      sublight people remove eva
    """
    workspace_of(context).people.remove(name)
    print_json({"removed": name}) if as_json else print(f"{name} is removed")
