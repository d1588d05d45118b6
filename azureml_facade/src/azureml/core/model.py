"""``Model``: registered models, in versions, with their files."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from azureml._refusal import Refused, refuse
from azureml._translation import translated
from azureml.exceptions import ModelNotFoundException, WebserviceException

__all__ = ["InferenceConfig", "Model", "ModelPackage"]

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-._]{0,254}")
_DEPLOYMENT = "web services are not supported yet; download the model with Model.download() and serve it yourself"
_MODELS_FOLDER = "azureml-models"


class Model:
    """A version of a registered model: by name (the newest), name and version, or id (``name:version``).

    WebserviceException when there is none; without a name or id the newest one that has the tags, properties, run and
    framework that are given.
    """

    class Framework:
        """What a model was made with."""

        CUSTOM = "Custom"
        TENSORFLOW = "TensorFlow"
        SCIKITLEARN = "ScikitLearn"
        ONNX = "Onnx"
        MULTI = "Multi"

    def __init__(
        self,
        workspace: Any,
        name: str | None = None,
        id: str | None = None,
        tags: Any = None,
        properties: Any = None,
        version: int | str | None = None,
        run_id: str | None = None,
        model_framework: str | None = None,
        expand: bool = True,
        **kwargs: Any,
    ) -> None:
        self.workspace = workspace
        self._take(_find(workspace, name, id, tags, properties, version, run_id, model_framework))

    @classmethod
    def _of_asset(cls, workspace: Any, asset: Any) -> Model:
        """The Model of a registered asset of kind "model"."""
        model = cls.__new__(cls)
        model.workspace = workspace
        model._take(asset)
        return model

    def _take(self, asset: Any) -> None:
        definition: Mapping[str, Any] = asset.definition or {}
        self._asset = asset
        self.name = str(asset.name)
        self.version = int(asset.version)
        self.id = f"{asset.name}:{asset.version}"
        self.tags = dict(asset.tags or {})
        self.properties = dict(asset.properties or {})
        self.description = asset.description or None
        self.created_time = datetime.fromtimestamp(asset.created, tz=UTC)
        self.created_by = {"userName": asset.created_by}
        self.run_id = asset.run_id
        self.experiment_name = asset.experiment
        self.model_framework = definition.get("framework")
        self.model_framework_version = definition.get("framework_version")
        self.framework = self.model_framework
        self.framework_version = self.model_framework_version
        self.datasets = _datasets_of(definition)
        self.sample_input_dataset_id = definition.get("sample_input_dataset")
        self.sample_output_dataset_id = definition.get("sample_output_dataset")
        self.resource_configuration = _resources(definition.get("resource_configuration"))
        self.mime_type = "application/x-python"
        self.unpack = False
        self.parent_id: str | None = None
        self.image: Any = None
        self.url = f"aml://asset/{asset.id}"

    @property
    def run(self) -> Any:
        """The run that made it, or None."""
        from azureml.core.run import Run

        return None if self.run_id is None else Run.get(self.workspace, self.run_id)

    @staticmethod
    @translated(WebserviceException, WebserviceException)
    def register(
        workspace: Any,
        model_path: str,
        model_name: str,
        tags: Any = None,
        properties: Mapping[str, str] | None = None,
        description: str | None = None,
        datasets: Any = None,
        model_framework: str | None = None,
        model_framework_version: str | None = None,
        child_paths: Sequence[str] | None = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        resource_configuration: Any = None,
    ) -> Model:
        """Register a file or folder of this machine as the next version of ``model_name``.

        WebserviceException for an impossible name and for a path that is not there.
        """
        from azureml.data._workspaces import sdk_of

        if not isinstance(model_name, str) or not _NAME.fullmatch(model_name):
            raise WebserviceException(
                f"the name of a model has at most 255 letters, digits, '-', '.' and '_' and begins with a letter or "
                f"digit, got {model_name!r}"
            )
        files = _local_files(model_path, child_paths)
        definition = {
            "framework": model_framework,
            "framework_version": model_framework_version,
            "datasets": [[str(getattr(scenario, "value", scenario)), one.id] for scenario, one in datasets or []],
            "sample_input_dataset": getattr(sample_input_dataset, "id", None),
            "sample_output_dataset": getattr(sample_output_dataset, "id", None),
            "resource_configuration": _plain_resources(resource_configuration),
        }
        print(f"Registering model {model_name}")
        asset = sdk_of(workspace).assets.register(
            "model",
            model_name,
            files=files,
            description=description or "",
            tags=_texts(tags),
            properties=_texts(properties),
            definition={key: value for key, value in definition.items() if value not in (None, [], {})},
            run_id=os.environ.get("SUBLIGHT_RUN_ID") or None,
        )
        return Model._of_asset(workspace, asset)

    @staticmethod
    @translated(WebserviceException, WebserviceException)
    def list(
        workspace: Any,
        name: str | None = None,
        tags: Any = None,
        properties: Any = None,
        run_id: str | None = None,
        latest: bool = False,
        dataset_id: str | None = None,
        expand: bool = True,
        page_count: int = 255,
        model_framework: str | None = None,
    ) -> list[Model]:
        """The models that pass the filters, newest first; ``tags`` and ``properties`` are ``"key"``, ``["key", ["key",
        "value"]]`` or a dictionary."""
        from azureml.data._workspaces import sdk_of

        assets = sdk_of(workspace).assets.list("model", name=name, run_id=run_id, is_latest_only=latest)
        return [
            Model._of_asset(workspace, asset)
            for asset in assets
            if not asset.is_archived
            and _has(asset.tags, tags)
            and _has(asset.properties, properties)
            and (model_framework is None or (asset.definition or {}).get("framework") == model_framework)
            and (dataset_id is None or dataset_id in [pair[1] for pair in (asset.definition or {}).get("datasets", [])])
        ]

    @staticmethod
    def get_model_path(model_name: str, version: int | None = None, _workspace: Any = None) -> str:
        """Where the model's file or folder lies on this machine.

        In this order: below the folder that AZUREML_MODEL_DIR names; ``azureml-models/<name>/<version>`` in the working
        folder (without a version only where no workspace can say which is the newest); the workspace, from where it is
        downloaded to there. ModelNotFoundException when it is in none of them.
        """
        deployed = _deployed_model(model_name, version)
        if deployed is not None:
            return str(deployed)
        workspace = _workspace if _workspace is not None else _workspace_of_run()
        if version is not None or workspace is None:
            local = _version_below(Path(_MODELS_FOLDER) / model_name, version)
            if local is not None:
                return str(local)
        if workspace is None:
            raise ModelNotFoundException(
                f"the model {model_name!r} is not in {_MODELS_FOLDER}/ here, and outside of a run a workspace is needed "
                "to download it: use Model(workspace, name).download()"
            )
        try:
            model = Model(workspace, model_name, version=version)
        except WebserviceException as error:
            raise ModelNotFoundException(str(error)) from error
        target = Path(_MODELS_FOLDER) / model.name / str(model.version)
        return model.download(str(target), exist_ok=True)

    @translated(WebserviceException, WebserviceException)
    def download(self, target_dir: str = ".", exist_ok: bool = False, exists_ok: bool | None = None) -> str:
        """Download to ``target_dir``; the path of the model's file or folder there.

        WebserviceException when something is there already, unless ``exist_ok``.
        """
        may_replace = exist_ok if exists_ok is None else exists_ok
        files = [str(file.path) for file in self._asset.files()]
        if not files:
            raise WebserviceException(f"the model {self.id} has no files to download")
        folder = Path(target_dir)
        tops = [*dict.fromkeys(path.split("/")[0] for path in files)]
        for top in tops:
            if (folder / top).exists() and not may_replace:
                raise WebserviceException(f"{folder / top} exists already; pass exist_ok=True to replace it")
        for top in tops:
            if (folder / top).is_dir() and top in files:
                shutil.rmtree(folder / top)
        self._asset.download(folder)
        return str(folder / tops[0]) if len(tops) == 1 else str(folder)

    @translated(WebserviceException, WebserviceException)
    def delete(self) -> None:
        """Remove this version for good."""
        self._asset.delete()

    def update(
        self,
        tags: Mapping[str, str] | None = None,
        description: str | None = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        resource_configuration: Any = None,
    ) -> None:
        """Replace what is given of it; ``tags`` are replaced as a whole."""
        definition = dict(self._asset.definition or {})
        if sample_input_dataset is not None:
            definition["sample_input_dataset"] = sample_input_dataset.id
        if sample_output_dataset is not None:
            definition["sample_output_dataset"] = sample_output_dataset.id
        if resource_configuration is not None:
            definition["resource_configuration"] = _plain_resources(resource_configuration)
        changed_tags: dict[str, str | None] | None = None
        if tags is not None:
            changed_tags = {**dict.fromkeys(self.tags), **_texts(tags)}
        has_new = definition != dict(self._asset.definition or {})
        self._change(tags=changed_tags, description=description, definition=definition if has_new else None)

    def add_tags(self, tags: Mapping[str, str]) -> None:
        """Add or change tags."""
        self._change(tags=_texts(tags))

    def remove_tags(self, tags: Sequence[str] | str) -> None:
        """Remove tags by their names."""
        self._change(tags=dict.fromkeys([tags] if isinstance(tags, str) else tags))

    def add_properties(self, properties: Mapping[str, str]) -> None:
        """Add properties; WebserviceException for one that has another value, as properties cannot be changed."""
        self._change(properties=_texts(properties))

    def update_tags_properties(
        self,
        add_tags: Mapping[str, str] | None = None,
        remove_tags: Sequence[str] | None = None,
        add_properties: Mapping[str, str] | None = None,
    ) -> None:
        """Change tags and add properties in one go."""
        tags: dict[str, str | None] = {**dict.fromkeys(remove_tags or []), **_texts(add_tags)}
        self._change(tags=tags, properties=_texts(add_properties))

    def add_dataset_references(self, datasets: Any) -> None:
        """Add pairs of a scenario (a text) and a registered dataset."""
        from azureml.data._workspaces import sdk_of

        definition = dict(self._asset.definition or {})
        for scenario, dataset in datasets:
            if getattr(dataset, "id", None) is None:
                dataset._ensure_saved(self.workspace)
            pair = [str(getattr(scenario, "value", scenario)), dataset.id]
            if pair not in definition.setdefault("datasets", []):
                definition["datasets"].append(pair)
        self._change(definition=definition)
        self._take(sdk_of(self.workspace).assets.by_id(self._asset.id))

    @translated(WebserviceException, WebserviceException)
    def _change(self, **changes: Any) -> None:
        from azureml.data._workspaces import sdk_of

        self._asset.update(**changes)
        self._take(sdk_of(self.workspace).assets.by_id(self._asset.id))

    def serialize(self) -> dict[str, Any]:
        """What is known of it, as a dictionary with the original's keys."""
        return {
            "createdTime": self.created_time.isoformat(),
            "createdBy": self.created_by,
            "description": self.description,
            "id": self.id,
            "mimeType": self.mime_type,
            "name": self.name,
            "framework": self.model_framework,
            "frameworkVersion": self.model_framework_version,
            "tags": self.tags,
            "properties": self.properties,
            "unpack": self.unpack,
            "url": self.url,
            "version": self.version,
            "workspaceName": getattr(self.workspace, "name", None),
            "experimentName": self.experiment_name,
            "runId": self.run_id,
            "datasets": [[scenario, one] for scenario, ids in self.datasets.items() for one in ids],
            "sampleInputDatasetId": self.sample_input_dataset_id,
            "sampleOutputDatasetId": self.sample_output_dataset_id,
            "resourceConfiguration": _plain_resources(self.resource_configuration),
        }

    @staticmethod
    def deserialize(workspace: Any, model_payload: Mapping[str, Any]) -> Model:
        """The Model that ``serialize`` described."""
        return Model(workspace, id=model_payload["id"])

    def get_sas_urls(self) -> NoReturn:
        """Refused: there is no blob storage behind a model."""
        refuse("Model.get_sas_urls", "models lie in the workspace, not in Azure's storage; use Model.download()")

    @staticmethod
    def deploy(
        workspace: Any,
        name: str,
        models: Any,
        inference_config: Any = None,
        deployment_config: Any = None,
        deployment_target: Any = None,
        overwrite: bool = False,
        show_output: bool = False,
    ) -> NoReturn:
        """Refused: web services are not supported."""
        refuse("Model.deploy", _DEPLOYMENT)

    @staticmethod
    def package(
        workspace: Any,
        models: Any,
        inference_config: Any = None,
        generate_dockerfile: bool = False,
        image_name: str | None = None,
        image_label: str | None = None,
    ) -> NoReturn:
        """Refused: web services are not supported."""
        refuse("Model.package", _DEPLOYMENT)

    @staticmethod
    def profile(
        workspace: Any,
        profile_name: str,
        models: Any,
        inference_config: Any,
        input_dataset: Any,
        cpu: float | None = None,
        memory_in_gb: float | None = None,
        description: str | None = None,
    ) -> NoReturn:
        """Refused: web services are not supported."""
        refuse("Model.profile", _DEPLOYMENT)

    @staticmethod
    def print_configuration(
        models: Any, inference_config: Any, deployment_config: Any, deployment_target: Any
    ) -> NoReturn:
        """Refused: web services are not supported."""
        refuse("Model.print_configuration", _DEPLOYMENT)

    def __repr__(self) -> str:
        return (
            f"Model(workspace={self.workspace!r}, name={self.name}, id={self.id}, version={self.version}, "
            f"tags={self.tags}, properties={self.properties})"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Model) and other._asset.id == self._asset.id

    def __hash__(self) -> int:
        return hash(self._asset.id)


class InferenceConfig:
    """How a web service would be made of a model. Can be built and kept; deploying it is not supported yet."""

    def __init__(
        self,
        entry_script: str,
        runtime: str | None = None,
        conda_file: str | None = None,
        extra_docker_file_steps: str | None = None,
        source_directory: str | None = None,
        enable_gpu: bool | None = None,
        description: str | None = None,
        base_image: str | None = None,
        base_image_registry: Any = None,
        cuda_version: str | None = None,
        environment: Any = None,
    ) -> None:
        self.entry_script = entry_script
        self.runtime = runtime
        self.conda_file = conda_file
        self.extra_docker_file_steps = extra_docker_file_steps
        self.source_directory = source_directory
        self.enable_gpu = enable_gpu
        self.description = description
        self.base_image = base_image
        self.base_image_registry = base_image_registry
        self.cuda_version = cuda_version
        self.environment = environment

    def validate_configuration(self) -> NoReturn:
        """Refused: web services are not supported."""
        refuse("InferenceConfig.validate_configuration", _DEPLOYMENT)

    def validation_script_content(self) -> NoReturn:
        """Refused: web services are not supported."""
        refuse("InferenceConfig.validation_script_content", _DEPLOYMENT)

    def build_create_payload(self, workspace: Any, name: str, model_ids: Any) -> NoReturn:
        """Refused: web services are not supported."""
        refuse("InferenceConfig.build_create_payload", _DEPLOYMENT)

    def build_profile_payload(
        self,
        profile_name: str,
        input_data: Any = None,
        workspace: Any = None,
        models: Any = None,
        dataset_id: str | None = None,
        container_resource_requirements: Any = None,
        description: str | None = None,
    ) -> NoReturn:
        """Refused: web services are not supported."""
        refuse("InferenceConfig.build_profile_payload", _DEPLOYMENT)


class ModelPackage(Refused):
    """A packaged model; refused."""

    _why = _DEPLOYMENT


@translated(WebserviceException, WebserviceException)
def _find(
    workspace: Any,
    name: str | None,
    id: str | None,
    tags: Any,
    properties: Any,
    version: int | str | None,
    run_id: str | None,
    model_framework: str | None,
) -> Any:
    from azureml.data._workspaces import sdk_of
    from sublight.sdk.errors import NotFound

    if id is not None:
        name, _, written = str(id).rpartition(":")
        version = written
    if name is not None and ":" in name and version is None:
        name, _, version = name.rpartition(":")
    number = None
    if version is not None:
        try:
            number = int(version)
        except ValueError as error:
            raise WebserviceException(f"the version of a model is a number, got {version!r}") from error
    has_filters = tags or properties or run_id or model_framework
    if name is not None and not has_filters:
        try:
            asset = sdk_of(workspace).assets.get("model", name, number)
        except NotFound as error:
            raise WebserviceException(f"ModelNotFound: {error}", status_code=404) from error
        if asset.is_archived and number is None:
            raise WebserviceException(f"ModelNotFound: there is no model {name!r} in this workspace", status_code=404)
        return asset
    if name is None and not has_filters:
        raise WebserviceException("a model is named by its name or id, or found by tags, properties, run or framework")
    found = Model.list(workspace, name, tags, properties, run_id, model_framework=model_framework)
    for model in found:
        if number is None or model.version == number:
            return model._asset
    raise WebserviceException("ModelNotFound: no model in this workspace passes the filters", status_code=404)


def _has(there: Mapping[str, str] | None, wanted: Any) -> bool:
    """True when the labels hold all that is wanted: a key, a list of keys and [key, value] pairs, or a dictionary."""
    labels = there or {}
    if not wanted:
        return True
    if isinstance(wanted, Mapping):
        return all(labels.get(str(key)) == str(value) for key, value in wanted.items())
    for one in [wanted] if isinstance(wanted, str) else wanted:
        if isinstance(one, str):
            if one not in labels:
                return False
        elif labels.get(str(one[0])) != str(one[1]):
            return False
    return True


def _local_files(model_path: str, child_paths: Sequence[str] | None) -> dict[str, Path]:
    """What goes into the asset: the file or folder under its own name, or only the ``child_paths`` of the folder."""
    path = Path(model_path)
    if not path.exists():
        raise WebserviceException(f"there is no file or folder {model_path} on this machine to make a model of")
    name = path.resolve().name
    if not child_paths:
        return {name: path}
    missing = [child for child in child_paths if not (path / child).exists()]
    if missing:
        raise WebserviceException(f"child_paths names {missing[0]}, which is not in {model_path}")
    return {f"{name}/{child.strip('/')}": path / child for child in child_paths}


def _deployed_model(name: str, version: int | None) -> Path | None:
    """A model below AZUREML_MODEL_DIR, which is the folder of all models (``<name>/<version>``) or of the only one."""
    given = os.environ.get("AZUREML_MODEL_DIR")
    if not given:
        return None
    folder = Path(given)
    if folder.parent.name == name and folder.name.isdecimal():
        return _version_below(folder.parent, int(folder.name) if version is None else version)
    return _version_below(folder / name, version) or _version_below(folder / _MODELS_FOLDER / name, version)


def _version_below(folder: Path, version: int | None) -> Path | None:
    """The file or folder of a version (the newest one when None) in ``folder``, whose folders are versions."""
    numbers = sorted((int(place.name) for place in folder.glob("*") if place.name.isdecimal()), reverse=True)
    for number in numbers:
        if version is None or number == int(version):
            inside = sorted((folder / str(number)).iterdir())
            if inside:
                return inside[0] if len(inside) == 1 else folder / str(number)
    return None


def _workspace_of_run() -> Any:
    from azureml.core.run import Run

    experiment = getattr(Run.get_context(), "experiment", None)
    return getattr(experiment, "workspace", None)


def _datasets_of(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The datasets of the model by scenario, as ids."""
    found: dict[str, Any] = {}
    for scenario, dataset_id in definition.get("datasets") or []:
        found.setdefault(scenario, []).append(dataset_id)
    return found


def _resources(plain: Mapping[str, Any] | None) -> Any:
    if not plain:
        return None
    from azureml.core.resource_configuration import ResourceConfiguration

    return ResourceConfiguration(**plain)


def _plain_resources(configuration: Any) -> dict[str, Any] | None:
    if configuration is None:
        return None
    return {name: getattr(configuration, name, None) for name in ("cpu", "memory_in_gb", "gpu")}


def _texts(pairs: Any) -> dict[str, str]:
    """Tags and properties are text; v1 also took numbers and a list of keys."""
    if pairs is None:
        return {}
    if isinstance(pairs, str):
        return {pairs: ""}
    if not isinstance(pairs, Mapping):
        return {
            str(one[0] if not isinstance(one, str) else one): "" if isinstance(one, str) else str(one[1])
            for one in pairs
        }
    return {str(key): str(value) for key, value in pairs.items()}
