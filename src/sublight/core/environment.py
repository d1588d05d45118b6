"""An environment: the Python and the packages that a run asks for, as a value that files and people can state.

What people write (pip's requirements, conda's YAML) becomes a list of pip requirements here, once; what cannot be meant
is said in notes. Whether the packages can be had is decided on the node (see ``core/resolution``).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from sublight.core.errors import InvalidInput

NAME_LENGTH_MAX = 255
REQUIREMENTS_MAX = 500
_LINE_LENGTH_MAX = 1000
_NAMES_SHOWN = 12

# Names of conda, and former or mistaken names of the package index, and the package that is meant.
MEANT = {
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "pytorch-gpu": "torch",
    "torchvision-cpu": "torchvision",
    "sklearn": "scikit-learn",
    "tensorflow-gpu": "tensorflow",
    "tensorflow-mkl": "tensorflow",
    "tensorflow-eigen": "tensorflow",
    "keras-gpu": "keras",
    "py-xgboost": "xgboost",
    "py-xgboost-cpu": "xgboost",
    "py-xgboost-gpu": "xgboost",
    "py-xgboost-mutex": "xgboost",
    "opencv": "opencv-python-headless",
    "py-opencv": "opencv-python-headless",
    "matplotlib-base": "matplotlib",
    "seaborn-base": "seaborn",
    "pytables": "tables",
    "msgpack-python": "msgpack",
    "fbprophet": "prophet",
    "pil": "pillow",
    "py-lightgbm": "lightgbm",
    "beautifulsoup": "beautifulsoup4",
}
# Conda packages that are no Python packages: programs, libraries of the system, and conda's own parts.
_CONDA_ONLY = frozenset(
    {"pip", "conda", "git", "git-lfs", "nodejs", "openjdk", "ffmpeg", "cmake", "make", "gcc", "gxx", "gcc-linux-64"}
    | {"cudatoolkit", "cuda", "cudnn", "nccl", "cuda-toolkit", "pytorch-cuda", "pytorch-mutex", "cpuonly", "magma-cuda"}
    | {
        "mkl",
        "mkl-service",
        "nomkl",
        "blas",
        "libblas",
        "openblas",
        "intel-openmp",
        "llvm-openmp",
        "tbb",
        "_libgcc_mutex",
    }
    | {"openmpi", "mpi", "mpich", "intel-openmpi", "libgcc", "libgcc-ng", "libgomp", "libstdcxx-ng", "_openmp_mutex"}
    | {"openssl", "ca-certificates", "zlib", "xz", "sqlite", "tk", "readline", "ncurses", "libffi"}
    | {"libpng", "jpeg", "libtiff", "freetype", "libxml2", "libxslt", "icu", "graphviz", "hdf5", "libgfortran"}
    | {
        "vc",
        "vs2015_runtime",
        "wincertstore",
        "ld_impl_linux-64",
        "libsodium",
        "zeromq",
        "bzip2",
        "gdal",
        "geos",
        "proj",
    }
)
_CONDA_KEYS = ("name", "channels", "dependencies", "prefix", "variables", "platforms")
_CONDA = re.compile(r"(?:[\w./-]+::)?(?P<name>[A-Za-z0-9_][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(?P<version>.*)")
_PYTHON = re.compile(r"\d+(\.\d+){0,2}")
_COMMENT = re.compile(r"(^|\s)#.*$")
_HASH = re.compile(r"\s--hash[=\s]\S+")


class Wanted(Protocol):
    """What the rules need to know of an environment; ``messages.EnvironmentSpec`` is one.

    ``python`` is a version such as ``3.8`` or None. ``companions`` are requirements that are met where they go with the
    others, and else left out. ``is_relaxed`` lets the nearest that can be had take the place of what cannot.
    """

    @property
    def name(self) -> str: ...
    @property
    def python(self) -> str | None: ...
    @property
    def requirements(self) -> Sequence[str]: ...
    @property
    def companions(self) -> Sequence[str]: ...
    @property
    def is_relaxed(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Packages:
    """What a file asks for. ``notes`` are sentences on what in it has no meaning here."""

    python: str | None
    requirements: tuple[str, ...]
    notes: tuple[str, ...] = ()


def environment_id(wanted: Wanted, *facts: str) -> str:
    """The SHA-256 of what is asked for (not of its name); ``facts`` are what else decides what it becomes."""
    content = [
        wanted.python or "",
        sorted(" ".join(line.split()) for line in wanted.requirements),
        sorted(" ".join(line.split()) for line in wanted.companions),
        bool(wanted.is_relaxed),
        list(facts),
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def check_environment(wanted: Wanted) -> None:
    """Raise InvalidInput, in one sentence, for an environment that makes no sense in itself."""
    if not wanted.name.strip() or len(wanted.name) > NAME_LENGTH_MAX:
        raise InvalidInput(f"an environment needs a name of 1 to {NAME_LENGTH_MAX} characters, got {wanted.name!r}")
    if wanted.python is not None and not _PYTHON.fullmatch(wanted.python):
        raise InvalidInput(f"the python of an environment is a version like '3.11', got {wanted.python!r}")
    count = len(wanted.requirements) + len(wanted.companions)
    if count > REQUIREMENTS_MAX:
        raise InvalidInput(f"an environment has at most {REQUIREMENTS_MAX} requirements, got {count}")
    for line in (*wanted.requirements, *wanted.companions):
        if not line.strip() or len(line) > _LINE_LENGTH_MAX or any(ord(letter) < 32 for letter in line):
            raise InvalidInput(f"a requirement is one line like 'numpy==1.23.5', got {line[:100]!r}")
        fault = requirement_fault(line)
        if fault is not None and (not wanted.is_relaxed or line in wanted.companions):
            raise InvalidInput(f"the requirement {line!r} cannot be met here: {fault}; relaxing pins leaves it out")


def requirement_fault(line: str) -> str | None:
    """Why a line is nothing that is installed here; None for a requirement by name."""
    if line.lstrip().startswith("-"):
        return "it is an option of pip"
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        is_place = "/" in line or "\\" in line or line.strip().endswith((".whl", ".gz", ".zip"))
        return (
            "packages come from the package index, not from files and addresses" if is_place else "pip cannot read it"
        )
    if requirement.url is not None:
        return "packages come from the package index, not from files and addresses"
    return None


def read_requirements(lines: Iterable[str]) -> Packages:
    """The packages that pip's lines ask for: those of a requirements file, or of conda's ``pip:`` list.

    Included files must have been read in already. Options have no effect, and are told.
    """
    found: list[str] = []
    options: list[str] = []
    has_hashes = False
    for line in _joined(lines):
        text = _COMMENT.sub("", line).strip()
        if not text:
            continue
        if text.startswith("-") and not text.startswith(("-e", "--editable")):
            options.append(text.split()[0].split("=")[0])
            continue
        bare = _HASH.sub("", f" {text}").strip()
        has_hashes = has_hashes or bare != text
        found.append(bare)
    notes = []
    if options:
        notes.append(
            f"options of pip have no effect ({_listed(options)}): where packages come from is set for the node's uv"
        )
    if has_hashes:
        notes.append("the hashes of the requirements are not compared")
    return Packages(None, tuple(found), tuple(notes))


def read_conda(document: object, place: str = "the conda file") -> Packages:
    """The packages that a conda YAML asks for, by their names on the package index. InvalidInput names ``place``."""
    if not isinstance(document, Mapping):
        raise InvalidInput(f"{place} must hold keys such as 'dependencies', got {type(document).__name__}")
    unknown = [str(key) for key in document if key not in _CONDA_KEYS]
    if unknown:
        raise InvalidInput(f"{place} has the key {unknown[0]!r}; conda files have {', '.join(_CONDA_KEYS)}")
    python: str | None = None
    found: list[str] = []
    notes: list[str] = []
    left_out: list[str] = []
    if document.get("channels"):
        notes.append("channels of conda are not used: packages come from the Python package index")
    for item in document.get("dependencies") or ():
        if isinstance(item, Mapping):
            packages = read_requirements(_pip_lines(item, place))
            found += packages.requirements
            notes += packages.notes
            continue
        match = _CONDA.fullmatch(str(item).strip())
        if match is None:
            raise InvalidInput(f"{place} has the dependency {str(item)!r}, which conda cannot read")
        name, version = match["name"].lower(), match["version"]
        if name == "python":
            python = _python_of(version)
        elif name in _CONDA_ONLY or name.startswith(("r-", "lib", "_")):
            left_out.append(name)
        else:
            found.append(MEANT.get(name, name) + _pip_specifier(version))
    if left_out:
        notes.append(f"what conda installs beside Python's packages is left out: {_listed(left_out)}")
    if document.get("variables"):
        notes.append("the variables of the conda file are not set; give them as environment_variables")
    return Packages(python, tuple(found), tuple(notes))


def _pip_lines(item: Mapping[object, object], place: str) -> list[str]:
    lines = item.get("pip")
    if list(item) != ["pip"] or not (lines is None or isinstance(lines, list | tuple)):
        raise InvalidInput(
            f"{place} holds the dependency {dict(item)!r}; beside names only a list 'pip:' can stand there"
        )
    return [str(line) for line in lines or ()]


def _python_of(version: str) -> str | None:
    """The Python that conda's constraint speaks of; None when it says nothing that one version follows from."""
    match = _PYTHON.search(version)
    return match.group() if match and not version.strip().startswith("<") else None


def _pip_specifier(version: str) -> str:
    """``=1.18`` → ``==1.18.*``, ``=1.18.5=py38_0`` → ``==1.18.5``, ``>=1.0`` as it is; ``|`` cannot be said: nothing."""
    text = re.sub(r"\s+", "", version)
    if not text or text == "*" or "|" in text:
        return ""
    if text[0].isdigit():
        text = f"={text}"
    parts = [_pip_part(part) for part in text.split(",") if part]
    return ",".join(part for part in parts if part)


def _pip_part(part: str) -> str:
    if part.startswith("==") or part[0] in "<>!~":
        return part
    exact = part.lstrip("=").split("=")[0]
    is_open = exact.endswith("*") or exact.count(".") < 2
    exact = exact.rstrip("*").rstrip(".")
    if not exact:
        return ""
    return f"=={exact}.*" if is_open else f"=={exact}"


def _joined(lines: Iterable[str]) -> Iterable[str]:
    """Lines that end in a backslash go on in the next one."""
    begin = ""
    for line in lines:
        if line.rstrip().endswith("\\"):
            begin += line.rstrip()[:-1] + " "
            continue
        yield begin + line
        begin = ""
    if begin:
        yield begin


def meant_name(name: str) -> str:
    """The package that a name means, as the index compares names."""
    canonical = canonicalize_name(name)
    return MEANT.get(canonical, canonical)


def _listed(names: Sequence[str]) -> str:
    unique = list(dict.fromkeys(names))
    more = f" and {len(unique) - _NAMES_SHOWN} more" if len(unique) > _NAMES_SHOWN else ""
    return ", ".join(unique[:_NAMES_SHOWN]) + more
