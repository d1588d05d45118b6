"""Runs the scripts that submit, up to the submission, in a copy of the folder and with a workspace of its own.

Nothing is placed on compute and nothing of the user's is changed: the copy's server lives as long as the trial, and the
facade ends each script where it would submit its first run (``azureml._dry_run``).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from azureml import _dry_run
from azureml._check.report import Report
from azureml._check.sources import LEFT_OUT, without_magics

SECONDS_MAX = 120.0
_SERVER_SECONDS_MAX = 60.0
_PROJECT = ".sublight"
_MAIN = "import sys; from sublight.cli.main import main; sys.exit(main())"
# What a notebook has without importing it.
_PRELUDE = "import builtins as _builtins\n_builtins.display = print\n_builtins.get_ipython = lambda: None\n"


def try_submissions(folder: Path, report: Report, *, environment: Mapping[str, str] | None = None) -> None:
    """Fill in ``submission`` of every file of the report that submits a run.

    In a workspace of their own, files that only make compute targets are run first, because the others look for those.
    ``environment`` names the workspace to be used (SUBLIGHT_URL, SUBLIGHT_TOKEN) instead; in that one nothing is made.
    """
    files = [file for file in report.files if file.has_submission and not file.source.problems]
    if not files:
        return
    root = folder if folder.is_dir() else folder.parent
    with tempfile.TemporaryDirectory(prefix="sublight-check-") as place:
        copy = Path(place) / root.resolve().name
        shutil.copytree(root, copy, ignore=_left_out, symlinks=True)
        with _own_workspace(copy) if environment is None else _nothing_to_start():
            variables = {**_without_workspace(), **(environment or {}), _dry_run.VARIABLE: "1"}
            makers = [file for file in report.files if file.makes_compute and not file.has_submission]
            for file in makers if environment is None else []:
                _tried(copy / file.shown, variables)
            for file in files:
                file.submission = _tried(copy / file.shown, variables)


def _left_out(_folder: str, names: list[str]) -> set[str]:
    """Environments, caches, repositories and workspaces are not copied; a workspace's configuration is."""
    return {name for name in names if name in LEFT_OUT or name in (_PROJECT, ".git", ".venv", ".ipynb_checkpoints")}


@contextmanager
def _own_workspace(project: Path) -> Iterator[None]:
    (project / _PROJECT).mkdir(exist_ok=True)
    _sublight(project, "up")
    try:
        yield
    finally:
        _sublight(project, "stop")


@contextmanager
def _nothing_to_start() -> Iterator[None]:
    yield


def _without_workspace() -> dict[str, str]:
    """The variables of this process, without those that name a workspace."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SUBLIGHT_")}


def _sublight(project: Path, command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _MAIN, "--project", str(project), command],
        capture_output=True,
        text=True,
        timeout=_SERVER_SECONDS_MAX,
        env=_without_workspace(),
        check=False,
    )
    if done.returncode:
        from sublight.sdk.errors import ServerUnavailable

        raise ServerUnavailable(
            f"a workspace to try submissions with could not be used ('{command}'): {done.stderr.strip()}"
        )


def _tried(path: Path, environment: dict[str, str]) -> str:
    """What became of one file: the line of its submission, or why it did not get there."""
    script = _as_script(path) if path.suffix == ".ipynb" else path
    try:
        done = subprocess.run(
            [sys.executable, str(script)],
            cwd=path.parent,
            env={
                **environment,
                "PYTHONPATH": os.pathsep.join(filter(None, [str(path.parent), environment.get("PYTHONPATH")])),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"did not reach a submission within {SECONDS_MAX:g} seconds"
    for line in done.stdout.splitlines():
        if line.startswith(_dry_run.MARK):
            return f"would submit {line.removeprefix(_dry_run.MARK)}"
    if done.returncode == 0:
        return "ended without a submission"
    return f"failed before the submission: {_reason(done.stderr, script)}"


def _reason(errors: str, script: Path) -> str:
    """What a traceback ends with, and the line of the script that it comes from."""
    said = [line.strip() for line in errors.splitlines() if line.strip()]
    places = [line for line in said if line.startswith(f'File "{script}", line ')]
    where = f" (line {places[-1].split(', ')[1].removeprefix('line ')})" if places and script.name[0] != "." else ""
    return f"{said[-1] if said else 'it said nothing'}{where}"


def _as_script(notebook: Path) -> Path:
    """The code cells as a program beside the notebook; files that cells write are written when it gets there."""
    parts = [_PRELUDE]
    for cell in json.loads(notebook.read_text(encoding="utf-8-sig")).get("cells", []):
        if cell["cell_type"] != "code":
            continue
        source = cell["source"]
        text = source if isinstance(source, str) else "".join(source)
        first, _, rest = text.partition("\n")
        words = first.split()
        if words[:1] == ["%%writefile"] and len(words) > 1:
            # The name is as in the shell; notebooks put variables into it with $ and {}.
            parts.append(
                f"open({words[-1].strip(chr(39) + chr(34))!r}, {'a' if '-a' in words else 'w'!r}).write({rest!r})\n"
            )
        else:
            parts.append(without_magics(text) + "\n")
    script = notebook.with_name(f".{notebook.stem}.tried.py")
    script.write_text("\n".join(parts))
    return script
