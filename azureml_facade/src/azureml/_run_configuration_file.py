"""Run configurations in files: where they lie, how they are read, and writing them so that comments survive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from azureml.core.conda_dependencies import CONDA_FILE_NAME, CondaDependencies
from azureml.exceptions import UserErrorException

if TYPE_CHECKING:
    from azureml.core.runconfig import RunConfiguration

FOLDER = ".azureml"
OLD_FOLDER = "aml_config"
SUFFIX = ".runconfig"
ENVIRONMENT_FILE = "environment.yml"
_FILE_SUFFIXES = (SUFFIX, ".yml", ".yaml", ".json")


def load(kind: type[RunConfiguration], path: str | Path, name: str | None = None) -> RunConfiguration:
    """Read the configuration ``name`` of the project in the folder ``path``, or the file ``path`` itself."""
    file = _existing_file(Path(path), name)
    content = _content(file)
    config = kind(_path=str(_project_of(file)), _name=file.stem if file.suffix == SUFFIX else file.name)
    environment = _value(content, "environment")
    if isinstance(environment, str):
        _set(content, "environment", _content(_beside(file, environment)))
    config._fill(_plain(content))
    _read_conda_file(config, file)
    if isinstance(environment, str):
        _set(content, "environment", environment)
    config._loaded = content
    return config


def save(config: RunConfiguration, path: str | Path | None, name: str | None, separate_environment: bool) -> Path:
    """Write the configuration and, beside it, its conda file; the folder ``.azureml`` is made. Returns the path."""
    file = _file_to_write(config, path, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    values = config._to_dict()
    dependencies = config.environment.python.conda_dependencies
    python = values["environment"]["python"]
    del python["condaDependencies"]
    if dependencies is not None:
        conda_name = Path(python["condaDependenciesFile"] or CONDA_FILE_NAME).name
        dependencies.save(file.parent / conda_name)
        in_project = file.parent.name in (FOLDER, OLD_FOLDER)
        python["condaDependenciesFile"] = f"{file.parent.name}/{conda_name}" if in_project else conda_name
    if separate_environment:
        _write(file.parent / ENVIRONMENT_FILE, values["environment"])
        values["environment"] = ENVIRONMENT_FILE
    _write(file, _merged(config._loaded, values))
    return file


def delete(path: str | Path, name: str) -> None:
    """Remove the configuration ``name`` of the project in ``path``."""
    _existing_file(Path(path), name).unlink()


def _existing_file(path: Path, name: str | None) -> Path:
    if name is None:
        candidates = [path, path.with_name(path.name + SUFFIX)]
    else:
        folders = [path / FOLDER, path / OLD_FOLDER, path]
        candidates = [folder / spelling for folder in folders for spelling in (name, name + SUFFIX)]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    looked = ", ".join(str(candidate) for candidate in candidates)
    raise UserErrorException(f"there is no run configuration {name or path.name!r}; looked for {looked}")


def _file_to_write(config: RunConfiguration, path: str | Path | None, name: str | None) -> Path:
    place = Path(path if path is not None else config._path or ".")
    if name is None and (place.is_file() or (place.suffix in _FILE_SUFFIXES and not place.is_dir())):
        return place
    name = name or config._name
    if not name:
        raise UserErrorException(
            "a run configuration is saved under a name; give name=, or a path that ends in .runconfig"
        )
    if place.name in (FOLDER, OLD_FOLDER):
        folder = place
    else:
        old, new = place / OLD_FOLDER, place / FOLDER
        folder = old if old.is_dir() and not new.is_dir() else new
    existing = folder / (name + SUFFIX)
    return existing if existing.is_file() and not (folder / name).is_file() else folder / name


def _project_of(file: Path) -> Path:
    return file.parent.parent if file.parent.name in (FOLDER, OLD_FOLDER) else file.parent


def _beside(file: Path, name: str) -> Path:
    """A file that a configuration names: beside it, or in the project's folder."""
    for folder in (file.parent, _project_of(file)):
        if (folder / name).is_file():
            return folder / name
    raise UserErrorException(f"{file} names {name}, and there is no such file in {file.parent} or {_project_of(file)}")


def _read_conda_file(config: RunConfiguration, file: Path) -> None:
    python = config.environment.python
    named = python._conda_dependencies_file
    if not named:
        return
    for folder in (_project_of(file), file.parent):
        for place in (folder / named, folder / Path(named).name):
            if place.is_file():
                python.conda_dependencies = CondaDependencies(place)
                return


def _content(file: Path) -> Any:
    from ruamel.yaml.error import YAMLError

    try:
        content = _yaml().load(file.read_text(encoding="utf-8-sig"))
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark is not None else ""
        raise UserErrorException(
            f"{file}{where} is neither YAML nor JSON: {getattr(error, 'problem', error)}"
        ) from None
    if not isinstance(content, dict):
        raise UserErrorException(f"{file} must hold the keys of a run configuration, got {content!r}")
    return content


def _plain(value: Any) -> Any:
    """The values alone, in Python's own types: what keeps the comments and spellings of a file is of no JSON type."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    from ruamel.yaml.scalarbool import ScalarBoolean

    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, ScalarBoolean):  # made from an int, because a bool cannot be
        return bool(value)
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return str(value)


def _write(file: Path, content: Any) -> None:
    with file.open("w", encoding="utf-8") as stream:
        _yaml().dump(content, stream)


def _yaml() -> Any:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 4096
    yaml.representer.add_representer(type(None), _empty)
    return yaml


def _empty(representer: Any, value: None) -> Any:
    """None as an empty value, the way these files have always been written."""
    return representer.represent_scalar("tag:yaml.org,2002:null", "")


def _key(content: Any, name: str) -> Any:
    """The key as the file writes it, whatever its case."""
    return next((key for key in content if str(key).lower() == name.lower()), None)


def _value(content: Any, name: str) -> Any:
    key = _key(content, name)
    return None if key is None else content[key]


def _set(content: Any, name: str, value: Any) -> None:
    content[_key(content, name) or name] = value


def _merged(loaded: Any, values: dict[str, Any]) -> Any:
    """``values`` put into what was read, so that its comments, order and unknown keys stay."""
    if not isinstance(loaded, dict):
        return values
    for name, value in values.items():
        old = _value(loaded, name)
        if isinstance(value, dict) and isinstance(old, dict):
            if not value:
                old.clear()
            _set(loaded, name, _merged(old, value))
        elif not (isinstance(old, list) and list(old) == value) and (old != value or _key(loaded, name) is None):
            _set(loaded, name, value)
    return loaded
