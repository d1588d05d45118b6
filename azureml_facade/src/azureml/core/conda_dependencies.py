"""Lists of conda and pip packages, and their YAML file. Comments in a file that was read stay in what is written."""

from __future__ import annotations

import copy
import io
import logging
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from azureml._base_sdk_common.abstract_run_config_element import tell_once
from azureml.exceptions import UserErrorException

_logger = logging.getLogger("azureml.core.conda_dependencies")

CONDA_FILE_NAME = "conda_dependencies.yml"
PYTHON_DEFAULT_VERSION = "3.8.13"
# ``create`` had another default than the constructor; scripts see either.
CREATE_PYTHON_VERSION = "3.10.18"
DEFAULT_SDK_ORIGIN = "https://pypi.org/simple/"

_ALLOWED_KEYS = ("name", "channels", "dependencies", "prefix", "variables")
_PACKAGE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_CNTK_PACKAGES = {"cpu": "cntk", "gpu": "cntk-gpu"}
_TENSORFLOW_PACKAGES = {"cpu": "tensorflow", "gpu": "tensorflow-gpu"}


class CondaDependencies:
    """The packages of an environment.

    Without a file: Python 3.8.13 and pip's azureml-defaults. The lists that the properties return are copies; the
    methods change the real ones.
    """

    def __init__(
        self, conda_dependencies_file_path: str | Path | None = None, _underlying_structure: Any = None
    ) -> None:
        if conda_dependencies_file_path is not None:
            structure = _read(Path(conda_dependencies_file_path))
        elif _underlying_structure is not None:
            structure = _underlying_structure
        else:
            structure = _default_structure()
        self._conda_dependencies: Any = _checked(structure, conda_dependencies_file_path)

    @staticmethod
    def create(
        pip_indexurl: str | None = None,
        pip_packages: Iterable[str] | None = None,
        conda_packages: Iterable[str] | None = None,
        python_version: str | None = CREATE_PYTHON_VERSION,
        pin_sdk_version: bool = True,
    ) -> CondaDependencies:
        """A new list; without ``pip_packages`` it holds azureml-defaults. ``python_version`` None leaves Python out."""
        dependencies = CondaDependencies()
        if python_version is None:
            dependencies.remove_conda_package("python")
        else:
            dependencies.set_python_version(python_version)
        if pip_packages is not None:
            dependencies.set_pip_requirements([])
            for package in _listed(pip_packages, "pip_packages"):
                dependencies.add_pip_package(package)
        for package in _listed(conda_packages or (), "conda_packages"):
            dependencies.add_conda_package(package)
        if pip_indexurl:
            dependencies.set_pip_index_url(pip_indexurl)
        return dependencies

    @staticmethod
    def merge_requirements(requirements: Iterable[str]) -> list[str]:
        """The requirements with those of one package made one: ``["a>=1", "a<2"]`` becomes ``["a>=1,<2"]``."""
        merged: dict[str, tuple[str, list[str]]] = {}
        for requirement in requirements:
            name = _name_with_extras(requirement)
            _, specifiers = merged.setdefault(package_name(requirement) or requirement, (name, []))
            specifier = requirement.strip()[len(name) :].strip()
            if specifier and specifier not in specifiers:
                specifiers.append(specifier)
        return [name + ",".join(specifiers) for name, specifiers in merged.values()]

    @staticmethod
    def sdk_origin_url() -> str:
        """Where packages come from."""
        return DEFAULT_SDK_ORIGIN

    @property
    def conda_channels(self) -> list[str]:
        """The channels."""
        return [str(channel) for channel in self._conda_dependencies.get("channels") or []]

    @property
    def conda_packages(self) -> list[str]:
        """The conda packages, Python among them."""
        return [str(item) for item in self._dependencies() if not isinstance(item, dict)]

    @property
    def pip_packages(self) -> list[str]:
        """The pip packages, without pip's options."""
        return [item for item in self._pip_lines() if not item.startswith("-")]

    @property
    def pip_options(self) -> list[str]:
        """The lines that are options of pip, such as ``--index-url …``."""
        return [item for item in self._pip_lines() if item.startswith("-")]

    def add_channel(self, channel: str) -> None:
        """Add a channel, once."""
        if channel not in self.conda_channels:
            if self._conda_dependencies.get("channels") is None:
                self._conda_dependencies["channels"] = []
            self._conda_dependencies["channels"].append(channel)

    def remove_channel(self, channel: str) -> None:
        """Take a channel out; one that is not there is no error."""
        if channel in self.conda_channels:
            self._conda_dependencies["channels"].remove(channel)

    def add_conda_package(self, conda_package: str) -> None:
        """Add a conda package, in place of one of the same name."""
        self.remove_conda_package(conda_package)
        is_python = package_name(conda_package) == "python"
        self._dependencies().insert(0 if is_python else len(self._dependencies()), conda_package)

    def remove_conda_package(self, conda_package: str) -> None:
        """Take a conda package out, whatever its version; one that is not there is no error."""
        name = package_name(conda_package)
        _remove(self._dependencies(), lambda item: not isinstance(item, dict) and package_name(str(item)) == name)

    def add_pip_package(self, pip_package: str) -> None:
        """Add a pip package, in place of one of the same name."""
        self.remove_pip_package(pip_package)
        self._pip_list(creates=True).append(pip_package)

    def remove_pip_package(self, pip_package: str) -> None:
        """Take a pip package out, whatever its version; one that is not there is no error."""
        name = package_name(pip_package)
        _remove(
            self._pip_list(),
            lambda item: str(item) == pip_package or (name is not None and package_name(str(item)) == name),
        )

    def set_pip_requirements(self, pip_requirements: Iterable[str]) -> None:
        """Make these the pip packages, instead of those that are there."""
        lines = self._pip_list(creates=True)
        lines[:] = [str(line) for line in _listed(pip_requirements, "pip_requirements")]

    def set_pip_option(self, pip_option: str) -> None:
        """Set an option of pip, in place of one of the same name."""
        if not pip_option.startswith("-"):
            raise UserErrorException(f"an option of pip begins with '-', got {pip_option!r}")
        self.remove_pip_option(pip_option)
        self._pip_list(creates=True).insert(0, pip_option)

    def remove_pip_option(self, pip_option: str) -> None:
        """Take an option of pip out; its value does not matter."""
        name = re.split(r"[\s=]", pip_option.strip(), maxsplit=1)[0]
        _remove(self._pip_list(), lambda item: re.split(r"[\s=]", str(item), maxsplit=1)[0] == name)

    def set_pip_index_url(self, index_url: str) -> None:
        """Where pip looks for packages."""
        self.set_pip_option(f"--index-url {index_url}")

    def set_python_version(self, version: str) -> None:
        """The version of Python, such as ``3.8``."""
        self.remove_conda_package("python")
        self._dependencies().insert(0, f"python={version}")

    def get_python_version(self) -> str | None:
        """The version of Python that is asked for, or None."""
        for item in self.conda_packages:
            if package_name(item) == "python":
                return re.sub(r"^[=<>!~ ]+", "", item[len("python") :]) or None
        return None

    def get_default_number_of_packages(self) -> int:
        """How many packages a new list holds."""
        fresh = CondaDependencies()
        return len(fresh.conda_packages) + len(fresh.pip_packages)

    def add_tensorflow_conda_package(self, core_type: str = "cpu", version: str | None = None) -> None:
        """Add TensorFlow from conda, for ``cpu`` or ``gpu``."""
        self.add_conda_package(_of_core_type(_TENSORFLOW_PACKAGES, core_type) + (f"={version}" if version else ""))

    def add_tensorflow_pip_package(self, core_type: str = "cpu", version: str | None = None) -> None:
        """Add TensorFlow from PyPI, for ``cpu`` or ``gpu``."""
        self.add_pip_package(_of_core_type(_TENSORFLOW_PACKAGES, core_type) + (f"=={version}" if version else ""))

    def add_cntk_package(self, core_type: str = "cpu") -> None:
        """Add CNTK, for ``cpu`` or ``gpu``."""
        self.add_pip_package(_of_core_type(_CNTK_PACKAGES, core_type))

    def serialize_to_string(self) -> str:
        """The YAML text."""
        text = io.StringIO()
        _yaml().dump(self._conda_dependencies, text)
        return text.getvalue()

    def save(self, path: str | Path | None = None) -> str:
        """Write the YAML file; without a path to ``.azureml/conda_dependencies.yml``. Returns the path."""
        target = Path(".azureml") / CONDA_FILE_NAME if path is None else Path(path)
        if target.is_dir():
            target = target / CONDA_FILE_NAME
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(self.serialize_to_string(), encoding="utf-8")
        return str(target)

    def save_to_file(self, base_directory: str | Path, conda_file_path: str | None = None) -> str:
        """Write the YAML file into a folder; returns its path inside the folder (``conda_dependencies.yml``)."""
        name = conda_file_path or CONDA_FILE_NAME
        self.save(Path(base_directory) / name)
        return name

    def as_dict(self) -> dict[str, Any]:
        """The same as a dict of plain lists."""
        return {str(key): _plain(value) for key, value in self._conda_dependencies.items()}

    def __deepcopy__(self, memo: dict[int, Any]) -> CondaDependencies:
        return CondaDependencies(_underlying_structure=copy.deepcopy(self._conda_dependencies, memo))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CondaDependencies) and self.as_dict() == other.as_dict()

    __hash__ = None  # type: ignore[assignment]

    def _dependencies(self) -> Any:
        if self._conda_dependencies.get("dependencies") is None:
            self._conda_dependencies["dependencies"] = []
        return self._conda_dependencies["dependencies"]

    def _pip_lines(self) -> list[str]:
        return [str(item) for item in self._pip_list()]

    def _pip_list(self, creates: bool = False) -> Any:
        for item in self._dependencies():
            if isinstance(item, dict) and "pip" in item:
                if item["pip"] is None:
                    item["pip"] = []
                return item["pip"]
        if not creates:
            return []
        self._dependencies().append({"pip": []})
        return self._dependencies()[-1]["pip"]


def package_name(requirement: str) -> str | None:
    """The package a requirement speaks of, as PyPI compares names (``scikit_learn>=1`` → ``scikit-learn``).

    None for a path, an address or an option, which do not tell. A channel in front (``conda-forge::numpy``) is no part.
    """
    text = requirement.strip().rpartition("::")[2]
    if "#egg=" in text:
        text = text.rpartition("#egg=")[2]
    text = text.partition("@")[0].strip()
    if text.startswith(("-", ".", "/")) or "://" in text or text.endswith(".whl"):
        return None
    match = _PACKAGE_NAME.match(text)
    return re.sub(r"[-_.]+", "-", match.group()).lower() if match else None


def _name_with_extras(requirement: str) -> str:
    match = re.match(r"\s*[A-Za-z0-9._-]+(\[[^\]]*\])?", requirement)
    return match.group().strip() if match else requirement.strip()


def _of_core_type(packages: dict[str, str], core_type: str) -> str:
    if core_type not in packages:
        raise UserErrorException(f"core_type must be 'cpu' or 'gpu', got {core_type!r}")
    return packages[core_type]


def _listed(packages: Iterable[str], name: str) -> list[str]:
    if isinstance(packages, str):
        tell_once(_logger, f"{name} is a list, such as ['{packages}']; the text alone is taken as one package")
        return [packages]
    return list(packages)


def _remove(items: Any, fits: Any) -> None:
    for position in reversed(range(len(items))):
        if fits(items[position]):
            del items[position]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _yaml() -> Any:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 4096
    return yaml


def _default_structure() -> Any:
    return _yaml().load(
        "# What the environment holds. Runs here use the Python that is there; this list is compared with it.\n"
        "name: project_environment\n"
        "dependencies:\n"
        f"- python={PYTHON_DEFAULT_VERSION}\n"
        "- pip:\n"
        "  - azureml-defaults\n"
        "channels:\n"
        "- anaconda\n"
        "- conda-forge\n"
    )


def _read(path: Path) -> Any:
    from ruamel.yaml.error import YAMLError

    with path.open(encoding="utf-8-sig") as file:
        try:
            return _yaml().load(file)
        except YAMLError as error:
            place = getattr(error, "problem_mark", None)
            where = f" (line {place.line + 1})" if place is not None else ""
            raise UserErrorException(f"{path}{where} is not valid YAML: {getattr(error, 'problem', error)}") from None


def _checked(structure: Any, path: str | Path | None) -> Any:
    shown = "the conda dependencies" if path is None else str(path)
    if not isinstance(structure, dict):
        raise UserErrorException(f"{shown} must hold keys such as 'dependencies', got {structure!r}")
    unknown = [str(key) for key in structure if key not in _ALLOWED_KEYS]
    if unknown:
        raise UserErrorException(
            f"{shown} has the key {unknown[0]!r}, and conda dependencies know {', '.join(_ALLOWED_KEYS)} only"
        )
    return structure
