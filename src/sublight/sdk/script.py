"""What to run: a script with its source folder, arguments and limits."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from sublight.core.arguments import as_text, fill_command
from sublight.core.errors import InvalidInput
from sublight.messages.definitions import ScriptDefinition
from sublight.sdk.environment import CURRENT_ENVIRONMENT, Environment, environment_of
from sublight.sdk.snapshot import PackedSource

_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAMES_SHOWN = 8
# ``python [-u …] train.py …`` at the very start, with a relative path and nothing to be filled in.
_PYTHON_FILE = re.compile(r"python[0-9.]*\s+(?:-[bBdEhiIOqsSuvx]+\s+)*([^\s'\"$;&|/-][^\s'\"$;&|]*\.py)(?=\s|$|[;&|])")
_ANNOTATIONS_BYTES_MAX = 256 * 1024


class Script:
    """A script and everything it needs; checked at once, packed when it is submitted.

    ``script`` is a path inside ``source``, a folder (relative to the working directory) that is copied to the node as it
    is at submission. ``source`` may also be a single file, which then is the script. Instead of ``script``, ``command``
    takes a shell line, with ``${{inputs.NAME}}`` and ``${{search_space.NAME}}`` for values.

    ``arguments`` come first on the command line; the parameters of a trial follow as ``--name value``.
    ``interpreter_arguments`` stand before the script (``["-u"]``, ``["-m", "my_wrapper"]``). ``max_run_seconds`` ends a
    run that takes longer. ``retries_max`` is how often a run whose node was lost is started again. ``environment`` is
    ``"current"``, the Python that the node's agent runs with; or an ``Environment`` (or the path of a requirements file or
    conda YAML), which the node builds once and keeps. Everybody who may read the workspace can see
    ``environment_variables``, so secrets do not belong there.

    With ``needs_workspace_access``, ``Workspace.from_config()`` works inside the script: it reads the workspace and
    submits runs in the submitter's name, for as long as the script runs. ``annotations`` (JSON, at most 256 kB) are kept
    with the run and handed to the script as ``annotations.json`` in its run's directory; Sublight does not read them.
    """

    def __init__(
        self,
        script: str | None = None,
        *,
        source: str | Path = ".",
        arguments: Sequence[object] = (),
        interpreter_arguments: Sequence[object] = (),
        command: str | None = None,
        inputs: Mapping[str, object] | None = None,
        environment: Environment | str | Path = CURRENT_ENVIRONMENT,
        environment_variables: Mapping[str, object] | None = None,
        max_run_seconds: float | None = None,
        retries_max: int = 3,
        needs_workspace_access: bool = False,
        annotations: Mapping[str, object] | None = None,
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
        self.interpreter_arguments = _checked_arguments(interpreter_arguments, command, "interpreter_arguments")
        self.inputs = {str(name): as_text(value) for name, value in (inputs or {}).items()}
        # None: the environment ``current``.
        self.environment = environment_of(environment)
        self.environment_variables = _checked_variables(environment_variables or {})
        self.max_run_seconds = _checked_seconds(max_run_seconds)
        self.retries_max = _checked_retries(retries_max)
        self.needs_workspace_access = bool(needs_workspace_access)
        self.annotations = _checked_annotations(annotations or {})

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
        if self.command is not None:
            _check_command_script(self.command, packed, self.shown_source)

    def definition(self, snapshot_id: str) -> ScriptDefinition:
        """The message form, once the source is stored under ``snapshot_id``."""
        return ScriptDefinition(
            snapshot_id=snapshot_id,
            script=self.script,
            arguments=list(self.arguments),
            interpreter_arguments=list(self.interpreter_arguments),
            command=self.command,
            inputs=self.inputs,
            environment=CURRENT_ENVIRONMENT if self.environment is None else "built",
            environment_spec=None if self.environment is None else self.environment.spec,
            environment_variables=self.environment_variables,
            max_run_seconds=self.max_run_seconds,
            retries_max=self.retries_max,
            needs_workspace_access=self.needs_workspace_access,
            annotations=self.annotations,
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


def _check_command_script(command: str, packed: PackedSource, shown_source: str) -> None:
    """Refuse a command that begins by running a Python file which is not sent; every trial would fail by it."""
    begin = _PYTHON_FILE.match(command)
    if begin is None or packed.holds(str(PurePosixPath(begin.group(1)))):
        return
    scripts = sorted(path for path in packed.paths if path.endswith(".py"))
    there = f"it has {listed(scripts)}" if scripts else "it has no Python file"
    raise InvalidInput(
        f"the command runs {begin.group(1)}, which is not in the snapshot of {shown_source}; {there}"
        f"{suggestion(begin.group(1), scripts)}"
    )


def _checked_arguments(arguments: Sequence[object], command: str | None, what: str = "arguments") -> tuple[str, ...]:
    if isinstance(arguments, (str, bytes)) or not isinstance(arguments, Sequence):
        raise InvalidInput(
            f"{what} must be a list like ['--epochs', 10], got {arguments!r}; shlex.split() turns a line into one"
        )
    if arguments and command is not None:
        raise InvalidInput(f"{what} go with a script; write them into the command line instead")
    for position, argument in enumerate(arguments):
        if argument is None or isinstance(argument, (list, tuple, dict, set)):
            raise InvalidInput(
                f"each argument must be text, a number or a boolean, got {argument!r} at position {position} of {what}"
            )
    return tuple(as_text(argument) for argument in arguments)


def _checked_annotations(annotations: Mapping[str, object]) -> dict[str, Any]:
    """The annotations as plain JSON data, so that what is changed in them later is not changed here."""
    try:
        content = msgspec.json.encode(dict(annotations))
        plain = msgspec.json.decode(content, type=dict[str, Any])
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"annotations must map names to what JSON can hold, but: {error}") from error
    if len(content) > _ANNOTATIONS_BYTES_MAX:
        raise InvalidInput(
            f"annotations may have {_ANNOTATIONS_BYTES_MAX:,} bytes as JSON, got {len(content):,}; put what is large "
            "into a file of the source folder"
        )
    return plain


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
