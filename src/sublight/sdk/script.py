"""What to run: a script with its source folder, arguments and limits."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from sublight.core.arguments import as_text, fill_command
from sublight.core.errors import InvalidInput, NotSupported
from sublight.messages.definitions import ScriptDefinition
from sublight.sdk.snapshot import PackedSource

CURRENT_ENVIRONMENT = "current"
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAMES_SHOWN = 8


class Script:
    """A script and everything it needs; checked at once, packed when it is submitted.

    ``script`` is a path inside ``source``, a folder (relative to the working directory) that is copied to the node as it
    is at submission. ``source`` may also be a single file, which then is the script. Instead of ``script``, ``command``
    takes a shell line, with ``${{inputs.NAME}}`` and ``${{search_space.NAME}}`` for values.

    ``arguments`` come first on the command line; the parameters of a trial follow as ``--name value``.
    ``max_run_seconds`` ends a run that takes longer. ``retries_max`` is how often a run whose node was lost is started
    again. The only ``environment`` for now is ``"current"``: the Python that the server runs with.
    """

    def __init__(
        self,
        script: str | None = None,
        *,
        source: str | Path = ".",
        arguments: Sequence[object] = (),
        command: str | None = None,
        inputs: Mapping[str, object] | None = None,
        environment: str = CURRENT_ENVIRONMENT,
        environment_variables: Mapping[str, object] | None = None,
        max_run_seconds: float | None = None,
        retries_max: int = 3,
    ) -> None:
        self.shown_source = str(source)
        self.source = _existing_source(source)
        if script is None and command is None and self.source.is_file():
            script = self.source.name
        if (script is None) == (command is None):
            given = "both" if script is not None else "neither"
            raise InvalidInput(f"a Script needs either a script or a command, got {given}; write Script('train.py')")
        self.script = None if script is None else _existing_script(script, self.source, self.shown_source)
        self.command = command
        self.arguments = _checked_arguments(arguments, command)
        self.inputs = {str(name): as_text(value) for name, value in (inputs or {}).items()}
        self.environment = _checked_environment(environment)
        self.environment_variables = _checked_variables(environment_variables or {})
        self.max_run_seconds = _checked_seconds(max_run_seconds)
        self.retries_max = _checked_retries(retries_max)

    def check_placeholders(self, names: Sequence[str] = ()) -> None:
        """Raise InvalidInput when the command uses a value that there is not; ``names`` are the tuned parameters."""
        if self.command is not None:
            fill_command(self.command, parameters=dict.fromkeys(names, ""), inputs=self.inputs)

    def check_packed(self, packed: PackedSource) -> None:
        """Raise InvalidInput when the script itself is not part of what would be sent."""
        if self.script is not None and not packed.holds(self.script):
            raise InvalidInput(
                f"{self.script} lies in {self.shown_source}, but the ignore rules leave it out of the snapshot; "
                f"take it back with a line !/{self.script}"
            )

    def definition(self, snapshot_id: str) -> ScriptDefinition:
        """The message form, once the source is stored under ``snapshot_id``."""
        return ScriptDefinition(
            snapshot_id=snapshot_id,
            script=self.script,
            arguments=list(self.arguments),
            command=self.command,
            inputs=self.inputs,
            environment=self.environment,
            environment_variables=self.environment_variables,
            max_run_seconds=self.max_run_seconds,
            retries_max=self.retries_max,
        )

    def __repr__(self) -> str:
        what = f"command={self.command!r}" if self.script is None else repr(self.script)
        arguments = f", arguments={list(self.arguments)}" if self.arguments else ""
        return f"Script({what}, source={self.shown_source!r}{arguments})"


def suggestion(wrong: str, known: Sequence[str]) -> str:
    """``; did you mean 'x'?`` when one of ``known`` is near, else nothing."""
    near = difflib.get_close_matches(wrong, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def listed(names: Sequence[str]) -> str:
    """A few of ``names`` in one line, and how many more there are."""
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more


def _existing_source(source: str | Path) -> Path:
    path = Path(source).expanduser()
    resolved = path.resolve()
    if resolved.is_dir() or resolved.is_file():
        return resolved
    above = resolved.parent
    while not above.is_dir():
        above = above.parent
    names = sorted(entry.name for entry in above.iterdir() if not entry.name.startswith("."))
    there = f"{above} holds {listed(names)}" if names else f"{above} is empty"
    raise InvalidInput(
        f"there is no source {str(source)!r} (looked for {resolved}); {there}{suggestion(path.name, names)}"
    )


def _existing_script(script: str, source: Path, shown_source: str) -> str:
    if not isinstance(script, str) or not script.strip():
        raise InvalidInput(f"the script must be the path of a file inside the source folder, got {script!r}")
    if source.is_file():
        if script != source.name:
            raise InvalidInput(
                f"the source {shown_source} is a single file, so the script is {source.name!r}, not {script!r}"
            )
        return script
    path = PurePosixPath(Path(script).as_posix())
    if path.is_absolute() or ".." in path.parts:
        raise InvalidInput(f"the script must lie inside the source folder {shown_source}, got {script!r}")
    if (source / path).is_file():
        return str(path)
    scripts = sorted(file.name for file in source.glob("*.py"))
    there = f"there are {listed(scripts)}" if scripts else "there is no Python file at all"
    raise InvalidInput(f"there is no {script!r} in {shown_source} ({source}); {there}{suggestion(script, scripts)}")


def _checked_arguments(arguments: Sequence[object], command: str | None) -> tuple[str, ...]:
    if isinstance(arguments, (str, bytes)) or not isinstance(arguments, Sequence):
        raise InvalidInput(
            f"arguments must be a list like ['--epochs', 10], got {arguments!r}; shlex.split() turns a line into one"
        )
    if arguments and command is not None:
        raise InvalidInput("arguments go with a script; write them into the command line instead")
    for position, argument in enumerate(arguments):
        if argument is None or isinstance(argument, (list, tuple, dict, set)):
            raise InvalidInput(
                f"each argument must be text, a number or a boolean, got {argument!r} at position {position} of arguments"
            )
    return tuple(as_text(argument) for argument in arguments)


def _checked_environment(environment: str) -> str:
    if environment != CURRENT_ENVIRONMENT:
        raise NotSupported(
            f"this version runs scripts with the server's own Python only; write environment: {CURRENT_ENVIRONMENT} "
            f"(or nothing) instead of {environment!r}, and install what the script needs beside Sublight"
        )
    return environment


def _checked_variables(variables: Mapping[str, object]) -> dict[str, str]:
    for name in variables:
        if not isinstance(name, str) or not _VARIABLE_NAME.fullmatch(name):
            raise InvalidInput(f"an environment variable's name has letters, digits and '_' only, got {name!r}")
        if name.startswith("SUBLIGHT_"):
            raise InvalidInput(f"names that begin with SUBLIGHT_ belong to Sublight itself; rename the variable {name}")
    return {name: as_text(value) for name, value in variables.items()}


def _checked_seconds(seconds: float | None) -> float | None:
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds < math.inf:
        raise InvalidInput(f"max_run_seconds must be a number of seconds above 0, got {seconds!r}")
    return float(seconds)


def _checked_retries(retries_max: int) -> int:
    if isinstance(retries_max, bool) or not isinstance(retries_max, int) or retries_max < 0:
        raise InvalidInput(f"retries_max must be a whole number of 0 or more, got {retries_max!r}")
    return retries_max
