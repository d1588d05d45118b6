"""The Python and the packages that a script is to run with."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sublight.core.errors import InvalidInput
from sublight.messages.definitions import EnvironmentSpec

CURRENT_ENVIRONMENT = "current"
_YAML_SUFFIXES = (".yml", ".yaml")
_DEPTH_MAX = 10


class Environment:
    """Packages from the Python package index, as pip names them, and a version of Python.

    A node builds it before the first run that asks for it, and keeps it for all others; the run's ``environment_log.txt``
    says what is in it. ``python`` is a version such as ``"3.11"`` (None: that of the node). Wheels are installed only.

    With ``relax_pins`` the nearest that can be had takes the place of what cannot: a version without a wheel, a Python
    that is not there, a package that the index does not have. Every such change is said in the run's log. Without it
    the run fails with a sentence that names the package.

    ``companions`` are requirements that are met where they go with the others, and else left out.
    """

    def __init__(
        self,
        requirements: Sequence[str] = (),
        *,
        python: str | None = None,
        name: str = "environment",
        relax_pins: bool = False,
        companions: Sequence[str] = (),
        notes: Sequence[str] = (),
    ) -> None:
        from sublight.core.environment import check_environment, read_requirements
        from sublight.core.resolution import check_buildable

        for what, lines in (("requirements", requirements), ("companions", companions)):
            if isinstance(lines, str) or not all(isinstance(line, str) for line in lines):
                raise InvalidInput(f"the {what} of an environment are a list like ['numpy==1.23.5'], got {lines!r}")
        if python is not None and not isinstance(python, str):
            raise InvalidInput(f"the python of an environment is a version in quotes like '3.11', got {python!r}")
        packages = read_requirements(requirements)
        self.spec = EnvironmentSpec(
            name=str(name),
            python=python,
            requirements=list(packages.requirements),
            companions=list(companions),
            is_relaxed=bool(relax_pins),
            notes=[*notes, *packages.notes],
        )
        check_environment(self.spec)
        check_buildable(self.spec)

    @classmethod
    def from_file(cls, path: str | Path, *, name: str | None = None, relax_pins: bool = False) -> Environment:
        """The environment that a requirements file of pip (``.txt``) or a conda YAML (``.yml``) describes."""
        file = Path(path).expanduser()
        if not file.is_file():
            raise InvalidInput(_no_file(file))
        if file.suffix.lower() not in _YAML_SUFFIXES:
            return cls(list(_lines(file, depth=0)), name=name or file.stem, relax_pins=relax_pins)
        return cls.from_conda(_yaml(file), name=name, relax_pins=relax_pins, place=str(file))

    @classmethod
    def from_conda(
        cls,
        document: Mapping[str, Any],
        *,
        name: str | None = None,
        relax_pins: bool = False,
        companions: Sequence[str] = (),
        place: str = "the conda file",
    ) -> Environment:
        """The environment that the content of a conda YAML describes; ``place`` names it in errors.

        Conda's packages are taken from the Python package index, by their names there.
        """
        from sublight.core.environment import read_conda

        packages = read_conda(document, place)
        return cls(
            packages.requirements,
            python=packages.python,
            name=name or str(document.get("name") or "environment"),
            relax_pins=relax_pins,
            companions=companions,
            notes=packages.notes,
        )

    @property
    def name(self) -> str:
        """Its name, for people."""
        return self.spec.name

    def relaxed(self) -> Environment:
        """The same with ``relax_pins``."""
        return Environment(
            self.spec.requirements,
            python=self.spec.python,
            name=self.spec.name,
            relax_pins=True,
            companions=self.spec.companions,
            notes=self.spec.notes,
        )

    def __repr__(self) -> str:
        python = f", python={self.spec.python!r}" if self.spec.python else ""
        relax = ", relax_pins=True" if self.spec.is_relaxed else ""
        return f"Environment({self.spec.requirements!r}{python}, name={self.spec.name!r}{relax})"


def environment_of(given: Environment | str | Path | None, *, relax_pins: bool = False) -> Environment | None:
    """What a person means by ``given``: ``current`` (None), an environment, or the file of one."""
    if given is None or given == CURRENT_ENVIRONMENT:
        if relax_pins:
            raise InvalidInput(
                "relaxing pins goes with an environment to build; the environment 'current' is what is installed"
            )
        return None
    if isinstance(given, Environment):
        return given.relaxed() if relax_pins else given
    if isinstance(given, Path) or Path(given).suffix.lower() in (".txt", ".in", *_YAML_SUFFIXES):
        return Environment.from_file(given, relax_pins=relax_pins)
    raise InvalidInput(
        f"the environment is {CURRENT_ENVIRONMENT!r} (the Python of the nodes), a requirements file (.txt) or a conda file "
        f"(.yml), got {given!r}"
    )


def environment_notes(environment: Environment) -> Iterator[str]:
    """What a person should know who submits with it, in sentences."""
    for note in environment.spec.notes:
        yield f"environment {environment.name}: {note}"


def _lines(file: Path, depth: int) -> Iterator[str]:
    """The lines of a requirements file, with those of the files that it includes in their places."""
    if depth > _DEPTH_MAX:
        raise InvalidInput(f"{file} includes itself, or files include each other more than {_DEPTH_MAX} deep")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} cannot be read as a requirements file: {error}") from error
    for line in text.splitlines():
        words = line.split("#")[0].replace("=", " ", 1).split() if line.lstrip().startswith("-") else []
        if not words or words[0] not in ("-r", "--requirement", "-c", "--constraint"):
            yield line
            continue
        if words[0] in ("-c", "--constraint"):
            raise InvalidInput(
                f"{file} has constraints ({line.strip()}), which are not read; write them as requirements"
            )
        if len(words) != 2 or not (file.parent / words[1]).is_file():
            raise InvalidInput(f"{file} includes a file that is not there: {line.strip()}")
        yield from _lines(file.parent / words[1], depth + 1)


def _yaml(file: Path) -> Any:
    import yaml

    try:
        return yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidInput(f"{file} cannot be read as a conda file: {' '.join(str(error).split())}") from error


def _no_file(file: Path) -> str:
    folder = file.parent
    names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    near = difflib.get_close_matches(file.name, names, n=1)
    return f"there is no environment file {str(file)!r}" + (f"; did you mean {near[0]!r}?" if near else "")
