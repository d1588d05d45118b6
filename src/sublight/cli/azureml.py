"""``sublight azureml``: commands that the package sublight-azureml brings along, when it is installed."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import typer
from typer.core import TyperGroup

# Where other packages name their commands; Sublight imports none of them by itself.
ENTRY_POINTS = "sublight.commands"
_NAME = "azureml"


class _Installed(TyperGroup):
    """A group whose commands are another package's; they are looked for when they are needed."""

    @property
    def commands(self) -> MutableMapping[str, Any]:
        """Its commands by name; NotSupported when the package is not installed."""
        return _commands()

    @commands.setter
    def commands(self, given: MutableMapping[str, Any]) -> None:
        """Nothing: the group is made without commands of its own."""


app = typer.Typer(
    help="Check scripts and notebooks of the Azure ML SDK v1.",
    cls=_Installed,
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def _group() -> None:
    """Check scripts and notebooks of the Azure ML SDK v1."""


def _commands() -> dict[str, Any]:
    from importlib.metadata import entry_points

    from sublight.core.errors import NotSupported

    for entry in entry_points(group=ENTRY_POINTS, name=_NAME):
        return dict(getattr(typer.main.get_command(entry.load()), "commands", {}))
    raise NotSupported("'sublight azureml' comes with another package; install it: pip install sublight-azureml")
