"""``Workspace``: the door of the SDK v1, standing for a Sublight workspace."""

from __future__ import annotations

import json
import logging
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from azureml._refusal import RefusedMember, refuse
from azureml._translation import translated
from azureml.exceptions import UserErrorException, WorkspaceException

if TYPE_CHECKING:
    from azureml.core.compute.compute import ComputeTarget
    from azureml.core.experiment import Experiment
    from azureml.core.keyvault import Keyvault
    from sublight.sdk.workspace import Workspace as SublightWorkspace

module_logger = logging.getLogger(__name__)

# What a workspace shows that was found without a configuration file: Sublight knows no subscriptions.
NO_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
NO_RESOURCE_GROUP = "sublight"
# The region and the price class of every workspace: this machine, and nothing to pay.
LOCATION = "local"
SKU = "Basic"

# Datastores that every workspace of v1 had; some scripts import their names.
WORKSPACE_DEFAULT_BLOB_STORE_NAME = "workspaceblobstore"
WORKSPACE_DEFAULT_FILE_STORE_NAME = "workspacefilestore"

CPU_CLUSTER_NAME = "cpu-cluster"
GPU_CLUSTER_NAME = "gpu-cluster"

_CONFIG_FOLDERS = (".azureml", "aml_config", "")
_CONFIG_NAMES = ("config.json", "project.json")
_SCOPE = re.compile(
    r"/subscriptions/(?P<subscription_id>[^/]+)/resource[gG]roups/(?P<resource_group>[^/]+)"
    r"/providers/Microsoft\.MachineLearningServices/workspaces/(?P<name>[^/]+)\Z",
    re.IGNORECASE,
)
_NAME = re.compile(r"[a-zA-Z0-9][\w-]{2,32}\Z")
_NO_SECRETS_WHY = "the workspace has no keys, because its files are reached with the tokens of its people"
_NO_NETWORK_WHY = "a Sublight workspace has no private network; protect its address as you protect any server"
_NO_CONNECTIONS_WHY = "a Sublight workspace keeps no connections to other services"


class _Identity(NamedTuple):
    """The names under which a script knows its workspace."""

    subscription_id: str
    resource_group: str
    name: str


class _DefaultCluster:
    """A class attribute: how a default cluster is to be made, made when it is asked for."""

    def __init__(self, vm_size: str) -> None:
        self._vm_size = vm_size

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        from azureml.core.compute.amlcompute import AmlCompute

        return AmlCompute.provisioning_configuration(vm_size=self._vm_size, min_nodes=0, max_nodes=2)


class Workspace:
    """A workspace by its names in Azure, while its runs, data and models live in a Sublight workspace.

    Which Sublight workspace that is: the server that SUBLIGHT_URL and SUBLIGHT_TOKEN name; else the project (the nearest
    folder upwards with a ``.sublight``) of the working directory; else the project of the folder whose configuration
    file was read, whose server is started when it is not up. A line of the log says it once in a process.

    ``auth`` is accepted and not used: who the caller is, says the Sublight token. ``location`` is always ``"local"`` and
    ``sku`` ``"Basic"``.
    """

    DEFAULT_CPU_CLUSTER_NAME = CPU_CLUSTER_NAME
    DEFAULT_GPU_CLUSTER_NAME = GPU_CLUSTER_NAME
    DEFAULT_CPU_CLUSTER_CONFIGURATION = _DefaultCluster("STANDARD_DS2_V2")
    DEFAULT_GPU_CLUSTER_CONFIGURATION = _DefaultCluster("STANDARD_NC6")

    def __init__(
        self,
        subscription_id: str,
        resource_group: str,
        workspace_name: str,
        auth: Any = None,
        _location: str | None = None,
        _disable_service_check: bool = False,
        _workspace_id: str | None = None,
        sku: str = "basic",
        tags: dict[str, str] | None = None,
        _cloud: str = "AzureCloud",
    ) -> None:
        self._subscription_id = subscription_id
        self._resource_group = resource_group
        self._workspace_name = workspace_name
        self._auth = auth
        self._location = _location or LOCATION
        self._tags = dict(tags or {})
        self._cloud = _cloud
        self._config_folder: Path | None = None
        self._sdk_workspace: SublightWorkspace | None = None

    # Finding and making

    @staticmethod
    def from_config(
        path: str | os.PathLike[str] | None = None, auth: Any = None, _logger: Any = None, _file_name: str | None = None
    ) -> Workspace:
        """The workspace of a configuration file, as it was downloaded from Azure or written by ``write_config``.

        A file is read directly. A folder (the working directory) is searched, then each of its parents: ``.azureml``,
        ``aml_config``, the folder itself, for ``config.json`` before ``project.json``.

        Other than the original, this works without any such file where there is a Sublight workspace: with SUBLIGHT_URL,
        inside a run, or in a project (a folder upwards with ``.sublight`` or ``.git``). Only when there is none of them
        it raises UserErrorException.
        """
        if path is not None and Path(path).is_file():
            file = Path(path)
            workspace = _of_identity(_read_config(file), auth)
            workspace._config_folder = _folder_of(file)
            return workspace
        start = Path(path) if path is not None else Path.cwd()
        if not start.is_dir():
            raise UserErrorException(f"a configuration file or a folder was expected at {start}, but there is none")
        unreadable: list[str] = []
        for file in _config_files(start.resolve(), _file_name):
            try:
                identity = _read_config(file)
            except UserErrorException as error:
                unreadable.append(str(error))
                # In these folders nothing else is called so; elsewhere it may be another program's.
                is_ours = file.parent.name in (".azureml", "aml_config")
                module_logger.log(logging.WARNING if is_ours else logging.DEBUG, "%s; it is passed over", error)
                continue
            workspace = _of_identity(identity, auth)
            workspace._config_folder = _folder_of(file)
            return workspace
        if not _is_somewhere(start.resolve()):
            if unreadable:
                raise UserErrorException(f"{unreadable[0]}; download it from Azure again, or mend it")
            raise UserErrorException(
                f"no {_file_name or 'config.json'} was found in {start.resolve()} or above, and no Sublight workspace: "
                "download the file from Azure, or run `sublight up` in your project, or set SUBLIGHT_URL and "
                "SUBLIGHT_TOKEN"
            )
        workspace = _of_identity(_identity_from_environment(), auth)
        workspace._config_folder = start.resolve()
        return workspace

    @staticmethod
    def create(
        name: str,
        auth: Any = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        location: str | None = None,
        create_resource_group: bool = True,
        sku: str = "basic",
        tags: dict[str, str] | None = None,
        friendly_name: str | None = None,
        storage_account: str | None = None,
        key_vault: str | None = None,
        app_insights: str | None = None,
        container_registry: str | None = None,
        adb_workspace: Any = None,
        primary_user_assigned_identity: str | None = None,
        cmk_keyvault: str | None = None,
        resource_cmk_uri: str | None = None,
        hbi_workspace: bool = False,
        default_cpu_compute_target: Any = None,
        default_gpu_compute_target: Any = None,
        private_endpoint_config: Any = None,
        private_endpoint_auto_approval: bool = True,
        exist_ok: bool = False,
        show_output: bool = True,
        user_assigned_identity_for_cmk_encryption: str | None = None,
        system_datastores_auth_mode: str = "accessKey",
        v1_legacy_mode: bool | None = None,
    ) -> Workspace:
        """A workspace of this name, standing for the Sublight workspace of the present project, which is started.

        WorkspaceException when a configuration file here, or a call before in this process, named one so already and
        ``exist_ok`` is not given. What belongs to Azure only (resource groups, regions, accounts) is accepted and not
        used.
        """
        if not isinstance(name, str) or not _NAME.match(name):
            raise UserErrorException(
                f"a workspace's name has 3 to 33 letters, digits, hyphens and underscores and begins with a letter or a "
                f"digit, got {name!r}"
            )
        identity = _Identity(subscription_id or NO_SUBSCRIPTION, resource_group or NO_RESOURCE_GROUP, name)
        if not exist_ok and (identity in _created or _configured_identity() == identity):
            raise WorkspaceException(
                f"there is a workspace {name!r} in the resource group {identity.resource_group!r} already; give "
                "exist_ok=True to use it, or Workspace.get"
            )
        workspace = Workspace(*identity, auth=auth, sku=sku, tags=tags)
        url = workspace._sdk.url
        _created.add(identity)
        for configuration, cluster in (
            (default_cpu_compute_target, CPU_CLUSTER_NAME),
            (default_gpu_compute_target, GPU_CLUSTER_NAME),
        ):
            if configuration is not None:
                from azureml.core.compute.compute import ComputeTarget

                ComputeTarget.create(workspace, cluster, configuration)
        if show_output:
            print(f"Workspace {name} is ready; it is the Sublight workspace at {url}")
        return workspace

    @staticmethod
    def get(
        name: str,
        auth: Any = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        location: str | None = None,
        cloud: str = "AzureCloud",
        id: str | None = None,
    ) -> Workspace:
        """The workspace of this name; every name stands for the Sublight workspace of the present project."""
        return Workspace(
            subscription_id or NO_SUBSCRIPTION, resource_group or NO_RESOURCE_GROUP, name, auth=auth, _cloud=cloud
        )

    @staticmethod
    def setup() -> Workspace:
        """The workspace that is configured here, else one that is made."""
        try:
            return Workspace.from_config()
        except UserErrorException:
            return Workspace.create("workspace", exist_ok=True, show_output=False)

    @staticmethod
    def list(subscription_id: str, auth: Any = None, resource_group: str | None = None) -> dict[str, list[Workspace]]:
        """The workspace of the present project under its name; there are no others to be seen from here."""
        found = _configured_identity() or _identity_from_environment()
        workspace = Workspace(subscription_id, resource_group or found.resource_group, found.name, auth=auth)
        return {workspace.name: [workspace]}

    def write_config(self, path: str | os.PathLike[str] | None = None, file_name: str | None = None) -> None:
        """Write ``.azureml/config.json`` under ``path`` (the working directory), for ``from_config``."""
        folder = Path(path) if path is not None else Path.cwd()
        if folder.name not in (".azureml", "aml_config"):
            folder = folder / ".azureml"
        folder.mkdir(parents=True, exist_ok=True)
        content = {
            "Id": None,
            "Scope": self._scope,
            "subscription_id": self.subscription_id,
            "resource_group": self.resource_group,
            "workspace_name": self.name,
        }
        (folder / (file_name or "config.json")).write_text(json.dumps(content, indent=4) + "\n")

    # What it is

    @property
    def name(self) -> str:
        """Its name."""
        return self._workspace_name or self._sdk.name

    @property
    def subscription_id(self) -> str:
        """The subscription that the configuration file names."""
        return self._subscription_id

    @property
    def resource_group(self) -> str:
        """The resource group that the configuration file names."""
        return self._resource_group

    @property
    def location(self) -> str:
        """``"local"``: a Sublight workspace has no region."""
        return self._location

    @property
    def sku(self) -> str:
        """``"Basic"``: there are no price classes."""
        return SKU

    @property
    def tags(self) -> dict[str, str]:
        """The tags that were given when this object was made; Sublight keeps none for a workspace."""
        return dict(self._tags)

    @property
    def discovery_url(self) -> str:
        """The address of the Sublight server."""
        return self._sdk.url

    @property
    def service_context(self) -> Any:
        """Nothing to be used: the original's private way to its services."""
        return RefusedMember("Workspace.service_context", "there are no Azure services behind a Sublight workspace")

    @property
    def private_endpoints(self) -> dict[str, Any]:
        """Empty: there are none."""
        return {}

    def get_details(self) -> dict[str, Any]:
        """What is known of it, under the original's keys; accounts that only Azure has are empty texts."""
        details = self._sdk.details
        return {
            "id": self._scope,
            "name": self.name,
            "identity": {"principal_id": "", "tenant_id": "", "type": "None"},
            "location": self.location,
            "type": "Microsoft.MachineLearningServices/workspaces",
            "tags": self.tags,
            "sku": self.sku,
            "workspaceid": details.id,
            "sdkTelemetryAppInsightsKey": "",
            "description": "",
            "friendlyName": details.name,
            "creationTime": "",
            "containerRegistry": "",
            "keyVault": "",
            "applicationInsights": "",
            "identityPrincipalId": "",
            "identityTenantId": "",
            "identityType": "None",
            "storageAccount": "",
            "hbiWorkspace": False,
            "imageBuildCompute": None,
            "discoveryUrl": self.discovery_url,
            "systemDatastoresAuthMode": "accessKey",
        }

    # What is in it

    @property
    def compute_targets(self) -> dict[str, ComputeTarget]:
        """The clusters by name, read anew at each access."""
        from azureml.core.compute.compute import ComputeTarget

        return {target.name: target for target in ComputeTarget.list(self)}

    @property
    def experiments(self) -> dict[str, Experiment]:
        """The experiments that are not archived, by name."""
        from azureml.core.experiment import Experiment

        return {experiment.name: experiment for experiment in Experiment.list(self)}

    @property
    def models(self) -> dict[str, Any]:
        """The latest version of each model by name."""
        from azureml.core.model import Model

        return {model.name: model for model in Model.list(self, latest=True)}

    @property
    def environments(self) -> dict[str, Any]:
        """The latest version of each environment by name."""
        from azureml.core.environment import Environment

        return dict(Environment.list(self))

    @property
    def datasets(self) -> dict[str, Any]:
        """The latest version of each dataset by name."""
        from azureml.core.dataset import Dataset

        return dict(Dataset.get_all(self))

    @property
    def datastores(self) -> dict[str, Any]:
        """The datastores by name."""
        from azureml.core.datastore import Datastore

        with translated():
            names = [datastore.name for datastore in self._sdk.datastores.list()]
        return {name: Datastore.get(self, name) for name in names}

    @property
    def webservices(self) -> dict[str, Any]:
        """Empty: web services are not supported yet."""
        return {}

    @property
    def images(self) -> dict[str, Any]:
        """Empty: container images are not supported."""
        return {}

    @property
    def linked_services(self) -> dict[str, Any]:
        """Empty: there are none."""
        return {}

    def get_default_datastore(self) -> Any:
        """The default datastore, ``workspaceblobstore`` at first."""
        from azureml.core.datastore import Datastore

        return Datastore.get_default(self)

    def set_default_datastore(self, name: str) -> None:
        """Make the datastore of this name the default; UserErrorException when there is none."""
        with translated():
            self._sdk.datastores.set_default(name)

    def get_default_compute_target(self, type: str) -> ComputeTarget | None:
        """The cluster that is called ``cpu-cluster`` (``type`` "CPU") or ``gpu-cluster`` ("GPU"); None without it."""
        names = {"CPU": CPU_CLUSTER_NAME, "GPU": GPU_CLUSTER_NAME}
        if str(type).upper() not in names:
            raise UserErrorException(f"get_default_compute_target takes 'CPU' or 'GPU', got {type!r}")
        return self.compute_targets.get(names[str(type).upper()])

    def get_default_keyvault(self) -> Keyvault:
        """Where secrets are read from."""
        from azureml.core.keyvault import Keyvault

        return Keyvault(self)

    def get_run(self, run_id: str) -> Any:
        """The run of this id."""
        from azureml.core.run import Run

        return Run.get(self, run_id)

    # What Sublight does not have

    def get_mlflow_tracking_uri(self, _with_auth: bool = False) -> str:
        """Refused, but in a run, where MLflow keeps its files with the run's own: Sublight is no MLflow server."""
        inside = os.environ.get("MLFLOW_TRACKING_URI") if os.environ.get("SUBLIGHT_RUN_DIRECTORY") else None
        if not inside:
            refuse(
                "Workspace.get_mlflow_tracking_uri",
                "Sublight keeps runs and metrics itself and is no MLflow server; log with Run.get_context().log, or set a "
                "tracking address of your own with mlflow.set_tracking_uri",
            )
        return inside

    def delete(self, delete_dependent_resources: bool = False, no_wait: bool = False) -> None:
        """Refused, so that no script from elsewhere removes a project's runs and data."""
        refuse(
            "Workspace.delete",
            "a script may not remove the Sublight workspace with all of its runs and data; `sublight stop` stops its "
            "server, and removing the folder .sublight deletes it",
        )

    def update(
        self,
        friendly_name: str | None = None,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        image_build_compute: str | None = None,
        service_managed_resources_settings: Any = None,
        primary_user_assigned_identity: str | None = None,
        allow_public_access_when_behind_vnet: bool | None = None,
        v1_legacy_mode: bool | None = None,
    ) -> dict[str, Any]:
        """Refused: Sublight keeps no such values for a workspace."""
        refuse("Workspace.update", "a Sublight workspace keeps no description, tags and network settings of its own")

    def update_dependencies(self, container_registry: str | None = None, force: bool = False) -> None:
        """Refused: there is no container registry."""
        refuse("Workspace.update_dependencies", "a Sublight workspace has no container registry")

    def sync_keys(self, no_wait: bool = False) -> None:
        """Refused: there are no keys."""
        refuse("Workspace.sync_keys", _NO_SECRETS_WHY)

    def list_keys(self) -> dict[str, Any]:
        """Refused: there are no keys."""
        refuse("Workspace.list_keys", _NO_SECRETS_WHY)

    def diagnose_workspace(self, diagnose_parameters: Any) -> Any:
        """Refused: it looked for faults in Azure's network."""
        refuse("Workspace.diagnose_workspace", "it looked for faults of the network in Azure; see `sublight status`")

    def add_private_endpoint(
        self,
        private_endpoint_config: Any,
        private_endpoint_auto_approval: bool = True,
        location: str | None = None,
        show_output: bool = True,
        tags: dict[str, str] | None = None,
    ) -> Any:
        """Refused: there is no private network."""
        refuse("Workspace.add_private_endpoint", _NO_NETWORK_WHY)

    def delete_private_endpoint_connection(self, private_endpoint_connection_name: str) -> None:
        """Refused: there is no private network."""
        refuse("Workspace.delete_private_endpoint_connection", _NO_NETWORK_WHY)

    def set_connection(self, name: str, category: str, target: str, authType: str, value: str) -> Any:
        """Refused: there are no connections."""
        refuse("Workspace.set_connection", _NO_CONNECTIONS_WHY)

    def get_connection(self, name: str) -> Any:
        """Refused: there are no connections."""
        refuse("Workspace.get_connection", _NO_CONNECTIONS_WHY)

    def list_connections(self, category: str | None = None, target: str | None = None) -> Any:
        """Refused: there are no connections."""
        refuse("Workspace.list_connections", _NO_CONNECTIONS_WHY)

    def delete_connection(self, name: str) -> None:
        """Refused: there are no connections."""
        refuse("Workspace.delete_connection", _NO_CONNECTIONS_WHY)

    # For the rest of the facade

    @property
    def _sdk(self) -> SublightWorkspace:
        """The Sublight workspace behind it; found, and its server started, when it is used for the first time."""
        if self._sdk_workspace is None:
            with translated():
                self._sdk_workspace = _connect(self._config_folder)
            _announce(self)
        return self._sdk_workspace

    @property
    def _auth_object(self) -> Any:
        """What was given as ``auth``, else what reads the Sublight token."""
        if self._auth is None:
            from azureml.core.authentication import InteractiveLoginAuthentication

            self._auth = InteractiveLoginAuthentication()
        return self._auth

    @property
    def _workspace_id(self) -> str:
        return str(self._sdk.details.id)

    @property
    def _scope(self) -> str:
        """Its resource id in the original's form."""
        return (
            f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self.name}"
        )

    def __repr__(self) -> str:
        return (
            f"Workspace.create(name={self.name!r}, subscription_id={self.subscription_id!r}, "
            f"resource_group={self.resource_group!r})"
        )


def _standing_for(sdk: SublightWorkspace, identity: _Identity | None = None) -> Workspace:
    """A Workspace over a Sublight workspace that is at hand already."""
    workspace = _of_identity(identity or _identity_from_environment(), None)
    workspace._sdk_workspace = sdk
    return workspace


_created: set[_Identity] = set()
_lock = threading.Lock()
_connections: dict[Any, SublightWorkspace] = {}
_announced: set[str] = set()


def _connect(config_folder: Path | None) -> SublightWorkspace:
    """One connection a process to each server."""
    from sublight.sdk.discovery import FOLDER, URL_VARIABLE, find_project
    from sublight.sdk.workspace import Workspace as SublightWorkspace

    if os.environ.get(URL_VARIABLE):
        key: Any = (os.environ[URL_VARIABLE], os.environ.get("SUBLIGHT_TOKEN"))
        place = None
    else:
        place = find_project(Path.cwd())
        if config_folder is not None and not (place / FOLDER).is_dir():
            place = find_project(config_folder)
        key = place
    with _lock:
        if key not in _connections:
            _connections[key] = SublightWorkspace.from_config(place)
        return _connections[key]


def _announce(workspace: Workspace) -> None:
    """Say once which Sublight workspace it is; inside a run everybody knows, so only a detailed log tells it."""
    sdk = workspace._sdk
    if sdk.url in _announced:
        return
    _announced.add(sdk.url)
    project = sdk.client.endpoint.project
    level = logging.INFO if "SUBLIGHT_RUN_DIRECTORY" in os.environ else logging.WARNING
    place = f"{sdk.url}, project {project}" if project else sdk.url
    module_logger.log(level, "the workspace %s is here the Sublight workspace %s (%s)", workspace.name, sdk.name, place)


def _of_identity(identity: _Identity, auth: Any) -> Workspace:
    return Workspace(*identity, auth=auth)


def _identity_from_environment() -> _Identity:
    """The names that a run was given; else those of a workspace without a configuration file (its own name is asked
    for when it is needed)."""
    return _Identity(
        os.environ.get("AZUREML_ARM_SUBSCRIPTION") or NO_SUBSCRIPTION,
        os.environ.get("AZUREML_ARM_RESOURCEGROUP") or NO_RESOURCE_GROUP,
        os.environ.get("AZUREML_ARM_WORKSPACE_NAME") or "",
    )


def _is_somewhere(start: Path) -> bool:
    """Whether there is a Sublight workspace to stand for one without a configuration file."""
    from sublight.sdk.discovery import FOLDER, URL_VARIABLE

    if os.environ.get(URL_VARIABLE):
        return True
    places = {start, *start.parents, Path.cwd(), *Path.cwd().parents}
    return any((folder / FOLDER).is_dir() or (folder / ".git").exists() for folder in places)


def _configured_identity() -> _Identity | None:
    for file in _config_files(Path.cwd(), None):
        try:
            return _read_config(file)
        except UserErrorException:
            continue
    return None


def _config_files(start: Path, file_name: str | None) -> Iterator[Path]:
    names = (file_name,) if file_name else _CONFIG_NAMES
    for folder in (start, *start.parents):
        for inner in _CONFIG_FOLDERS:
            for name in names:
                if (folder / inner / name).is_file():
                    yield folder / inner / name


def _folder_of(file: Path) -> Path:
    """The folder that a configuration file speaks for."""
    folder = file.resolve().parent
    return folder.parent if folder.name in _CONFIG_FOLDERS else folder


def _read_config(file: Path) -> _Identity:
    """The names in a file of either form; UserErrorException when it is none."""
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise UserErrorException(f"{file} must be a JSON file, but it cannot be read: {error}") from error
    if isinstance(content, dict):
        scope = content.get("Scope")
        if isinstance(scope, str) and (match := _SCOPE.match(scope.rstrip("/"))):
            return _Identity(match["subscription_id"], match["resource_group"], match["name"])
        values = [content.get(key) for key in ("subscription_id", "resource_group", "workspace_name")]
        if all(isinstance(value, str) and value for value in values):
            return _Identity(*map(str, values))
    raise UserErrorException(
        f"{file} must hold subscription_id, resource_group and workspace_name (or Id and Scope), but it does not"
    )
