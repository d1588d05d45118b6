"""How a point of the search space becomes the arguments of a script.

Fixed arguments come first, then ``--name value`` for each parameter in declared order (Azure ML v1 fact sheet §2, with
the order made stable). A ``command`` names its parameters itself: ``${{search_space.NAME}}`` and ``${{inputs.NAME}}``.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from sublight.core.errors import InvalidInput

_PLACEHOLDER = re.compile(r"\$\{\{\s*([^}]*?)\s*\}\}")


def as_text(value: object) -> str:
    """The text of a value as a script gets it: ``1`` for the int 1, ``0.1`` for the float, ``True`` for a bool.

    A negative float never has an exponent: argparse takes ``-5e-06`` for an option, and ``-0.000005`` for a number.
    """
    if not isinstance(value, float):
        return str(value)
    text = repr(value)
    return format(Decimal(text), "f") if text[0] == "-" and "e" in text else text


def option_name(name: str) -> str:
    """``learning_rate`` → ``--learning_rate``; a name that begins with a dash is kept as it is."""
    return name if name.startswith("-") else f"--{name}"


def script_arguments(fixed: Sequence[str], parameters: Mapping[str, object]) -> list[str]:
    """The complete argument list of a trial: every item is text."""
    arguments = list(fixed)
    for name, value in parameters.items():
        arguments += [option_name(name), as_text(value)]
    return arguments


def placeholders(command: str, place: str) -> set[str]:
    """The names that a command asks for in a place: ``search_space`` or ``inputs``."""
    found = (match.group(1).partition(".") for match in _PLACEHOLDER.finditer(command))
    return {name for where, _, name in found if where == place}


def check_all_used(command: str, names: Iterable[str]) -> None:
    """Raise InvalidInput for a tuned parameter that the command does not mention: its trials would differ in nothing."""
    used = {name.lstrip("-") for name in placeholders(command, "search_space")}
    unused = [name.lstrip("-") for name in names if name.lstrip("-") not in used]
    if unused:
        raise InvalidInput(
            f"the command does not use ${{{{search_space.{unused[0]}}}}}, so trials with different values of it would do "
            f"the same; write --{unused[0]} ${{{{search_space.{unused[0]}}}}} into the command, or take it out of the space"
        )


def fill_command(
    command: str, *, parameters: Mapping[str, object], inputs: Mapping[str, str], names: Sequence[str] = ()
) -> str:
    """The shell line with its placeholders replaced by quoted values; InvalidInput names a placeholder without value.

    ``names`` are all names of the search space. One that this point does not have, because it belongs to an option of a
    nested choice that was not drawn, becomes an empty text.
    """

    def value_of(match: re.Match[str]) -> str:
        place, _, name = match.group(1).partition(".")
        source: Mapping[str, object] = {"search_space": parameters, "inputs": inputs}.get(place, {})
        if name in source:
            return shlex.quote(as_text(source[name]))
        dashed = f"--{name}"
        if dashed in source:
            return shlex.quote(as_text(source[dashed]))
        if place == "search_space" and (name in names or dashed in names):
            return "''"
        known = sorted([f"search_space.{n}" for n in parameters] + [f"inputs.{n}" for n in inputs])
        raise InvalidInput(
            f"the command uses ${{{{{match.group(1)}}}}}, but there is no such value; known are {', '.join(known) or 'none'}"
        )

    return _PLACEHOLDER.sub(value_of, command)
