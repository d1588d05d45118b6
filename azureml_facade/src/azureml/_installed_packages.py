"""What an environment asks for against what is installed: the sentences in a run's log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import metadata

from azureml.core.conda_dependencies import package_name

# Conda's names, and earlier names on PyPI, of packages that are installed under another.
_INSTALLED_AS = {
    "sklearn": "scikit-learn",
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "pytorch-gpu": "torch",
    "torchvision-cpu": "torchvision",
    "tensorflow-gpu": "tensorflow",
    "tensorflow-cpu": "tensorflow",
    "keras-gpu": "keras",
    "py-xgboost": "xgboost",
    "py-xgboost-cpu": "xgboost",
    "py-xgboost-gpu": "xgboost",
    "opencv": "opencv-python",
    "py-opencv": "opencv-python",
    "matplotlib-base": "matplotlib",
    "pytables": "tables",
    "msgpack-python": "msgpack",
    "fbprophet": "prophet",
    "spacy-model-en-core-web-sm": "en-core-web-sm",
    "pil": "pillow",
    "py-lightgbm": "lightgbm",
}
# What conda installs that is no Python package, and what Sublight stands for itself.
_NOT_COMPARED = frozenset(
    {"python", "pip", "setuptools", "wheel", "conda", "git", "nodejs", "openjdk", "ffmpeg", "cmake", "r-base"}
    | {"cuda", "cudatoolkit", "cudnn", "nccl", "mkl", "nomkl", "blas", "openmpi", "mpi", "mpich", "intel-openmpi"}
    | {"gcc", "gxx", "libgcc", "libgcc-ng", "libgomp", "libstdcxx-ng"}
)
_NAMES_SHOWN = 8

Installed = Callable[[str], "str | None"]


def installed_version(name: str) -> str | None:
    """The version of an installed package, or None."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def notes_on_packages(requirements: Sequence[str], installed: Installed = installed_version) -> list[str]:
    """At most two sentences: the packages that are missing, and those of another version than the pinned one."""
    missing: list[str] = []
    others: list[str] = []
    for requirement in requirements:
        name = package_name(requirement)
        if name is None or name in _NOT_COMPARED or name.startswith("azureml-"):
            continue
        name = _INSTALLED_AS.get(name, name)
        version = installed(name)
        if version is None:
            missing.append(name)
        elif (wanted := _pin(requirement)) and not _is_version(version, wanted):
            others.append(f"{name} {version} instead of {wanted}")
    notes = []
    if missing:
        notes.append(
            f"The environment asks for packages that are not installed here: {_listed(missing)}; install them beside "
            "Sublight (pip install) if the script needs them."
        )
    if others:
        notes.append(f"Other versions are installed than the environment asks for: {_listed(others)}.")
    return notes


def _pin(requirement: str) -> str | None:
    """The version that ``name==version`` (pip) or ``name=version`` (conda) pins."""
    _, sign, version = requirement.partition("=")
    if not sign or any(mark in requirement for mark in "<>!~,"):
        return None
    return version.lstrip("=").split("=")[0].split(";")[0].strip() or None


def _is_version(installed: str, wanted: str) -> bool:
    wanted = wanted.rstrip("*").rstrip(".")
    return installed == wanted or installed.startswith((f"{wanted}.", f"{wanted}+"))


def _listed(names: Sequence[str]) -> str:
    unique = list(dict.fromkeys(names))
    more = f" and {len(unique) - _NAMES_SHOWN} more" if len(unique) > _NAMES_SHOWN else ""
    return ", ".join(unique[:_NAMES_SHOWN]) + more
