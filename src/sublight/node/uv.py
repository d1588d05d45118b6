"""What is asked of uv: which Pythons there are, which packages go together, make an environment, fill it.

Only wheels are taken: building a package runs code of its own before anybody asked for it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sublight.core.resolution import CannotBuild, Unresolvable

_WORDS_MAX = 400
_PYENV_VARIABLE = "PYENV_ROOT"
# What pip's users have set, and uv's name for it.
_SETTINGS_OF_PIP = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
}


def find_uv() -> str:
    """The program uv: the one that is installed beside Sublight, else any. Raises CannotBuild."""
    try:
        from uv import find_uv_bin

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
    if found is None:
        raise CannotBuild(
            f"environments are built by uv, which is not on this node; install it: {sys.executable} -m pip install uv"
        )
    return found


def uv_environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """The variables uv runs with: those around us, without a virtual environment that is active there."""
    environment = {
        name: value for name, value in inherited.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")
    }
    for theirs, ours in _SETTINGS_OF_PIP.items():
        if inherited.get(theirs) and not inherited.get(ours):
            environment[ours] = inherited[theirs].replace(" ", ",") if ours == "UV_FIND_LINKS" else inherited[theirs]
    environment |= {"UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1"}
    return environment


class Uv:
    """The program; ``tell`` gets the lines it prints. Its calls raise CannotBuild with a sentence of uv's."""

    def __init__(self, program: str, environment: Mapping[str, str], tell: Callable[[str], None]) -> None:
        self._program = program
        self._environment = dict(environment)
        self._tell = tell

    def pythons(self) -> dict[str, str]:
        """The Pythons of this machine, the program by the version; of two with one version the first."""
        found: dict[str, str] = {}
        done = self._run(["python", "list", "--only-installed", "--output-format", "json"])
        for one in json.loads(done.stdout or "[]") if done.returncode == 0 else []:
            if one.get("implementation") == "cpython" and one.get("path") and not one["path"].endswith("/shims/python"):
                found.setdefault(str(one["version"]), str(one["path"]))
        # pyenv's own programs answer for the version that is chosen only, so the others are looked up where they lie.
        root = Path(self._environment.get(_PYENV_VARIABLE) or Path.home() / ".pyenv")
        for folder in sorted(root.glob("versions/[0-9]*.[0-9]*.[0-9]*")):
            if (folder / "bin" / "python").is_file():
                found.setdefault(folder.name, str(folder / "bin" / "python"))
        return found

    def make(self, folder: Path, python: str) -> None:
        """Make an environment with pip, which scripts may call, and nothing else."""
        self._must(["venv", "--seed", "--python", python, str(folder)], "its Python cannot be set up")

    def install(self, folder: Path, packages: Mapping[str, str], *, torch_backend: str | None) -> None:
        """Install exactly these packages."""
        if not packages:
            return
        lines = "".join(f"{name}=={version}\n" for name, version in sorted(packages.items()))
        words = ["pip", "install", "--only-binary", ":all:", "--no-deps", "--python", str(folder / "bin" / "python")]
        words += ["--torch-backend", torch_backend] if torch_backend else []
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(lines)
            file.flush()
            self._must([*words, "--requirements", file.name], "its packages cannot be installed")

    def compile(self, words: Sequence[str], requirements: Sequence[str], constraints: Sequence[str]) -> dict[str, str]:
        """The versions that meet the requirements. Raises Unresolvable, or CannotBuild when the index does not answer."""
        with tempfile.TemporaryDirectory() as folder:
            asked, limits = Path(folder) / "requirements.in", Path(folder) / "constraints.txt"
            asked.write_text("".join(f"{line}\n" for line in requirements))
            limits.write_text("".join(f"{line}\n" for line in constraints))
            call = ["pip", "compile", "--quiet", "--no-header", "--no-annotate", "--only-binary", ":all:"]
            done = self._run([*call, *words, "--constraints", str(limits), str(asked)])
        if done.returncode == 0:
            return _versions(done.stdout)
        cause = _cause(done.stderr)
        if "No solution found" in done.stderr and "network was disabled" not in done.stderr:
            raise Unresolvable(cause, is_unknown="was not found in" in cause)
        raise CannotBuild(f"the packages cannot be looked up: {cause}")

    def _must(self, words: Sequence[str], what: str) -> None:
        done = self._run(words)
        for line in done.stderr.splitlines():
            self._tell(line)
        if done.returncode != 0:
            raise CannotBuild(f"{what}: {_cause(done.stderr)}")

    def _run(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._program, *words],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )


class UvIndex:
    """The packages for one Python, as ``core/resolution`` asks for them."""

    def __init__(self, uv: Uv, python: str, program: str, environment: Mapping[str, str]) -> None:
        self.python = python
        self.torch_backend: str | None = None
        self._uv = uv
        self._program = program
        self._has_folders = bool(environment.get("UV_FIND_LINKS"))
        self._known: dict[tuple[object, ...], dict[str, str] | Unresolvable] = {}

    def resolve(
        self,
        requirements: Sequence[str],
        *,
        constraints: Sequence[str] = (),
        is_alone: bool = False,
        prefers_lowest: bool = False,
    ) -> dict[str, str]:
        """See ``core.resolution.Index``."""
        if not requirements:
            return {}
        words = ["--python", self._program]
        words += ["--no-deps"] if is_alone else []
        words += ["--resolution", "lowest-direct"] if prefers_lowest else []
        words += ["--torch-backend", self.torch_backend] if self.torch_backend else []
        key = (tuple(requirements), tuple(constraints), tuple(words))
        if key not in self._known:
            try:
                self._known[key] = self._uv.compile(words, requirements, constraints)
            except Unresolvable as error:
                self._known[key] = error
            except CannotBuild as error:
                if not self.torch_backend:
                    raise
                raise CannotBuild(
                    f"{error}; this node has no GPU, and builds of PyTorch without CUDA come from there, or from a folder of "
                    "wheels that UV_FIND_LINKS names"
                ) from error
        known = self._known[key]
        if isinstance(known, Unresolvable):
            raise Unresolvable(str(known), is_unknown=known.is_unknown)
        return dict(known)

    def builds_without_cuda(self, name: str) -> list[str]:
        """See ``core.resolution.Index``: those in the folders of wheels that this node was told of."""
        found: list[str] = []
        while self._has_folders:
            line = name + ",".join(f"!={version}" for version in found)
            try:
                words = ["--python", self._program, "--no-deps", "--no-index"]
                version = self._uv.compile(words, [line], ())[canonicalize_name(name)]
            except Unresolvable:
                break
            if "+cpu" in version and version not in found:
                found.append(version)
            else:
                break
        return found

    def avoid_cuda(self) -> None:
        """See ``core.resolution.Index``."""
        self.torch_backend = "cpu"


def _versions(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith(("#", "-", " ")):
            requirement = Requirement(line)
            found[canonicalize_name(requirement.name)] = next((part.version for part in requirement.specifier), "")
    return found


def _cause(stderr: str) -> str:
    """The reason among uv's words, in one line."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    causes = [line.removeprefix("cause:").strip() for line in lines if line.startswith("cause:")]
    said = causes or [line.removeprefix("error:").strip() for line in lines if line.startswith("error:")] or lines[-1:]
    # Of a chain of causes, the first says what failed, the last why, and an address between them where.
    told = [*said[:1], *(part for part in said[1:-1] if "://" in part), *said[-1:]]
    text = ": ".join(dict.fromkeys(told)).removesuffix(", we can conclude that your requirements are unsatisfiable.")
    text = text.removeprefix("Because ")
    return (text if len(text) <= _WORDS_MAX else f"{text[: _WORDS_MAX - 1]}…") or "uv did not say why"


def default_uv(tell: Callable[[str], None]) -> tuple[Uv, dict[str, str]]:
    """uv as it is on this node, and the variables that it runs with."""
    environment = uv_environment(os.environ)
    return Uv(find_uv(), environment, tell), environment
