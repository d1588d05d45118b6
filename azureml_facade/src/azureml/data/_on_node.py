"""A run's inputs and outputs on the node: made ready before its script, taken in after it.

Called by ``azureml._node`` with the plain forms that ``DatasetConsumptionConfig._to_input``,
``DataReference._to_reference`` and the output configurations' ``_to_output`` give.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from azureml.data import _chosen_folders, _globs, _placing, _registration, _workspaces
from azureml.data._definition import Definition
from azureml.data.abstract_dataset import AbstractDataset
from azureml.data.file_dataset import FileDataset
from azureml.data.tabular_dataset import TabularDataset
from azureml.exceptions import UserErrorException


def provide(input: Mapping[str, Any], workspace: Any) -> str:
    """Make an input ready; the text that stands for it in the script's arguments and environment.

    For files that were mounted or downloaded: the folder with them, or the file's own path when the dataset is one file;
    for everything in direct mode the dataset's id, as in the original; for a data reference its folder or file.
    """
    if "datastore" in input:
        return _provide_reference(input, workspace)
    dataset = dataset_of(input, workspace)
    mode = input.get("mode") or "direct"
    if mode == "direct":
        return str(dataset._ensure_saved(workspace))
    if not isinstance(dataset, FileDataset):
        raise UserErrorException(f"the input {input['name']!r} is a table, which cannot be given as a folder")
    files = dataset._files()
    folder = _folder_for(input, "\n".join([mode, *sorted(f"{file.shown}\t{_state_of(file.local)}" for file in files)]))
    if os.path.isabs(input.get("path_on_compute") or "") and not folder.is_symlink():
        _refuse_others({_placing.place_of(file, folder): file.local for file in files})
    if mode == "mount":
        _placing.link_into(files, folder)
    else:
        _placing.copy_into(files, folder, overwrites=True)
    if len(files) == 1 and dataset._is_single_file():
        return str(_placing.place_of(files[0], folder))
    return str(folder)


def dataset_of(input: Mapping[str, Any], workspace: Any) -> Any:
    """The dataset object of an input, for ``run.input_datasets``."""
    described: Mapping[str, Any] = input["dataset"]
    if described.get("id"):
        return AbstractDataset.get_by_id(workspace, described["id"])
    if described.get("definition"):
        definition = Definition.from_dict(described["definition"])
        made = TabularDataset if definition.type == "tabular" else FileDataset
        return made._create(definition, workspace)
    return AbstractDataset.get_by_name(workspace, described["name"], described.get("version") or "latest")


def collect(output: Mapping[str, Any], folder: str | os.PathLike[str], workspace: Any, run: Any) -> Any:
    """Take in what the script wrote to ``folder``: uploaded, made a dataset, registered if that was asked for.

    Also takes the plain form of a data reference: its files go to its place in the datastore. Returns the dataset, or None
    where nothing was written.
    """
    if "datastore" in output:
        _collect_reference(output, Path(folder), workspace)
        return None
    if output.get("mode") == "link":
        return None
    source = _source_of(output, Path(folder))
    patterns = output.get("source_globs")
    files = [
        file
        for file in sorted(source.rglob("*"))
        if file.is_file()
        and (not patterns or any(_globs.matches(file.relative_to(source).as_posix(), one) for one in patterns))
    ]
    if not files:
        return None
    datastore, base = _destination(output, workspace, run)
    for file in files:
        datastore.upload(file, f"{base}/{file.relative_to(source).as_posix()}", overwrite=bool(output.get("overwrite")))
    dataset = _dataset_at(output, workspace, datastore.name, base)
    wanted = output.get("register")
    if not wanted:
        return dataset
    asset = _registration.register(
        dataset._definition,
        workspace,
        wanted["name"],
        description=wanted.get("description"),
        tags=wanted.get("tags"),
        creates_version=True,
    )
    return AbstractDataset.get_by_id(workspace, asset.id)


def _source_of(output: Mapping[str, Any], folder: Path) -> Path:
    """Where the script wrote: the folder it was given, or the one that the output's ``source`` names."""
    named = output.get("source")
    has_written = folder.is_dir() and any(file.is_file() for file in folder.rglob("*"))
    return Path(named) if named and not has_written and Path(named).is_dir() else folder


def _destination(output: Mapping[str, Any], workspace: Any, run: Any) -> tuple[Any, str]:
    place: Mapping[str, Any] = output.get("destination") or {}
    datastores = _workspaces.sdk_of(workspace).datastores
    datastore = datastores.get(place["datastore"]) if place.get("datastore") else datastores.default()
    path = str(place.get("path") or "dataset/{run-id}/{output-name}")
    path = path.replace("{run-id}", str(run.id)).replace("{output-name}", str(output["name"]))
    return datastore, path.strip("/")


def _dataset_at(output: Mapping[str, Any], workspace: Any, datastore: str, base: str) -> Any:
    reading: Mapping[str, Any] | None = output.get("reading")
    steps = tuple(output.get("steps") or ())
    if reading is None:
        options = {"partition_format": output["partition_format"]} if output.get("partition_format") else {}
        paths = ({"datastore": datastore, "path": f"{base}/**"},)
        return FileDataset._create(Definition("file", "files", paths, options, steps), workspace)
    path = f"{base}/{reading.get('path_glob') or '**'}"
    definition = Definition(
        "tabular", reading["format"], ({"datastore": datastore, "path": path},), reading["options"], steps
    )
    return TabularDataset._create(definition, workspace)


def _provide_reference(reference: Mapping[str, Any], workspace: Any) -> str:
    path = str(reference.get("path") or "").strip("/")
    place_of_store = f"{reference['datastore']}\t{path}"
    if reference.get("mode") == "upload":
        return str(_folder_for(reference, place_of_store))
    datastore = _workspaces.sdk_of(workspace).datastores.get(reference["datastore"])
    stored = [file for file in datastore.files(path) if _globs.matches(str(file.path), path)]
    copies = _workspaces.copies_of(_workspaces.sdk_of(workspace)).of_datastore(datastore, path)
    # What is written through a mounted folder goes back at the end, so runs that go on at the same time share it.
    folder = _folder_for(reference, place_of_store if reference.get("mode") == "mount" else str(copies))
    is_file = len(stored) == 1 and stored[0].path == path
    base = path.rpartition("/")[0] if is_file else path
    place = folder
    for file in stored:
        place = folder / str(file.path).removeprefix(base).lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        # Copies, not links: as in the original, a script may write where it reads.
        original = (copies / file.path).stat()
        if reference.get("overwrite") or not place.exists() or place.stat().st_mtime_ns < original.st_mtime_ns:
            shutil.copyfile(copies / file.path, place)
            # The time of the stored file tells at the end, without reading it, that it was not written to.
            os.utime(place, ns=(original.st_atime_ns, original.st_mtime_ns))
    return str(place if is_file else folder)


def _collect_reference(reference: Mapping[str, Any], folder: Path, workspace: Any) -> None:
    """The files that are not in the datastore as they lie here; nothing for a reference that was only downloaded."""
    if reference.get("mode") == "download":
        return
    datastore = _workspaces.sdk_of(workspace).datastores.get(reference["datastore"])
    path = str(reference.get("path") or "").strip("/")
    if folder.is_file():
        files, root, base = [folder], folder.parent, path.rpartition("/")[0]
    else:
        files, root, base = [file for file in sorted(folder.rglob("*")) if file.is_file()], folder, path
    there = {str(file.path) for file in datastore.files(base)}
    copies = _workspaces.copies_of(_workspaces.sdk_of(workspace)).of_datastore(datastore, base)
    overwrites = reference.get("mode") == "mount" or bool(reference.get("overwrite"))
    for file in files:
        target = "/".join(filter(None, [base, file.relative_to(root).as_posix()]))
        if target in there and (not overwrites or filecmp.cmp(file, copies / target, shallow=True)):
            continue
        datastore.upload(file, target, overwrite=overwrites)


def _folder_for(input: Mapping[str, Any], content: str) -> Path:
    """The input's folder: where ``path_on_compute`` says, else a new one beside the run's own.

    ``content`` tells apart what is to lie there from what other runs on this machine were given at the same place.
    """
    wanted = input.get("path_on_compute")
    if wanted:
        folder = Path(wanted)
        if folder.is_absolute() and _chosen_folders.claim(folder, content):
            return folder
    else:
        run_directory = os.environ.get("SUBLIGHT_RUN_DIRECTORY")
        if run_directory:
            folder = Path(run_directory) / "azureml_inputs" / str(input["name"])
        else:
            folder = Path(tempfile.mkdtemp(prefix=f"{input['name']}_"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder.absolute()


def _state_of(file: Path) -> str:
    status = file.stat()
    return f"{file.resolve()}\t{status.st_size}\t{status.st_mtime_ns}"


def _refuse_others(files: Mapping[Path, Path]) -> None:
    """UserErrorException for a file of somebody's that lies where another one belongs: it is not written over."""
    for place, file in files.items():
        if place.exists() and not filecmp.cmp(place, file, shallow=False):
            raise UserErrorException(
                f"{place} is there already and is another file than the dataset's; leave out path_on_compute, or name a "
                f"folder that is empty"
            )
