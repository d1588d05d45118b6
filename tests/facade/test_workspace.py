"""Workspace: how it is found, what it shows, and which Sublight workspace stands for it."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

import sublight as sl
from azureml.core import Workspace
from azureml.core import workspace as module
from azureml.core.authentication import AzureCliAuthentication
from azureml.exceptions import NotSupportedByFacade, UserErrorException, WorkspaceException
from tests.facade.surface import names, problems

DOWNLOADED = {"subscription_id": "sub-7", "resource_group": "rg-7", "workspace_name": "quick-starts"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of the user's to work in, and nothing of Sublight around it or remembered."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ("SUBLIGHT_URL", "SUBLIGHT_TOKEN", "SUBLIGHT_RUN_DIRECTORY", "AZUREML_ARM_WORKSPACE_NAME"):
        monkeypatch.delenv(name, raising=False)
    for remembered in (module._created, module._connections, module._announced):
        monkeypatch.setattr(module, _name_of(remembered), type(remembered)())
    return folder


def _name_of(remembered: object) -> str:
    return next(name for name, value in vars(module).items() if value is remembered)


@pytest.fixture
def opened(sdk: sl.Workspace, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Where the facade asks the SDK for a workspace; it gets the one of this process."""
    asked: list[Any] = []

    def from_config(path: Path | None = None) -> sl.Workspace:
        asked.append(path)
        return sdk

    monkeypatch.setattr(sl.Workspace, "from_config", staticmethod(from_config))
    return asked


def write(file: Path, content: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.mark.parametrize(("module", "name"), [("azureml.core", "Workspace"), *names("azureml.core.workspace")])
def test_it_has_the_original_s_constructor_and_members(module: str, name: str) -> None:
    assert problems(module, name) == []


def test_a_file_that_was_downloaded_from_azure_years_ago_is_all_that_it_takes(
    folder: Path, opened: list[Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write(folder / ".azureml" / "config.json", DOWNLOADED)
    (folder / "scripts").mkdir()
    monkeypatch.chdir(folder / "scripts")

    workspace = Workspace.from_config(auth=AzureCliAuthentication())

    assert (workspace.name, workspace.subscription_id, workspace.resource_group) == ("quick-starts", "sub-7", "rg-7")
    assert (workspace._workspace_name, workspace.location, workspace.sku) == ("quick-starts", "local", "Basic")
    assert opened == []  # nothing is started before it is needed
    with caplog.at_level(logging.INFO, "azureml"):
        assert workspace.compute_targets == {}
        assert Workspace.from_config().compute_targets == {}
    assert opened == [folder]
    (line,) = [record.getMessage() for record in caplog.records if record.name == "azureml.core.workspace"]
    assert line.startswith("the workspace quick-starts is here the Sublight workspace workspace (http://127.0.0.1")


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ([".azureml/config.json", "aml_config/config.json", "config.json"], ".azureml/config.json"),
        (["aml_config/config.json", "config.json"], "aml_config/config.json"),
        (["config.json", "project.json"], "config.json"),
        ([".azureml/project.json", "config.json"], ".azureml/project.json"),
        (["../config.json"], "../config.json"),
    ],
)
def test_folders_are_searched_in_the_original_s_order(folder: Path, files: list[str], found: str) -> None:
    for file in files:
        write(folder / file, {**DOWNLOADED, "workspace_name": file.replace("/", "-")})

    assert Workspace.from_config().name == found.replace("/", "-")


def test_a_file_or_folder_can_be_named(folder: Path) -> None:
    write(folder / "elsewhere" / "mine.json", DOWNLOADED)
    write(folder / "other" / ".azureml" / "config.json", {**DOWNLOADED, "workspace_name": "other-one"})

    assert Workspace.from_config("elsewhere/mine.json").name == "quick-starts"
    assert Workspace.from_config(path=folder / "other").name == "other-one"
    assert Workspace.from_config("elsewhere", _file_name="mine.json").name == "quick-starts"
    with pytest.raises(UserErrorException, match="nowhere"):
        Workspace.from_config("nowhere/config.json")


def test_what_write_config_writes_is_read_again(folder: Path) -> None:
    Workspace("sub-1", "rg-1", "written").write_config()
    Workspace("sub-2", "rg-2", "elsewhere").write_config(path="deep/er", file_name="mine.json")

    assert json.loads((folder / ".azureml/config.json").read_text())["Scope"] == (
        "/subscriptions/sub-1/resourceGroups/rg-1/providers/Microsoft.MachineLearningServices/workspaces/written"
    )
    assert Workspace.from_config().name == "written"
    again = Workspace.from_config("deep/er/.azureml/mine.json")
    assert (again.subscription_id, again.resource_group, again.name) == ("sub-2", "rg-2", "elsewhere")


def test_a_file_with_id_and_scope_only_is_read(folder: Path) -> None:
    scope = "/subscriptions/s/resourcegroups/r/providers/Microsoft.MachineLearningServices/workspaces/w"
    write(folder / "aml_config" / "project.json", {"Id": "x", "Scope": scope})

    workspace = Workspace.from_config()

    assert (workspace.subscription_id, workspace.resource_group, workspace.name) == ("s", "r", "w")


def test_another_program_s_config_json_is_passed_over_and_refused_when_it_is_named(folder: Path) -> None:
    write(folder / "config.json", {"learning_rate": 0.1})
    write(folder.parent / "config.json", DOWNLOADED)

    assert Workspace.from_config().name == "quick-starts"
    with pytest.raises(UserErrorException, match="must hold subscription_id"):
        Workspace.from_config("config.json")
    write(folder / "config.json", "no json")
    with pytest.raises(UserErrorException, match="JSON"):
        Workspace.from_config("config.json")


def test_a_sublight_project_needs_no_file(folder: Path, opened: list[Any]) -> None:
    (folder / ".sublight").mkdir()

    workspace = Workspace.from_config()

    assert workspace.name == "workspace"  # the Sublight workspace's own name
    assert workspace.subscription_id == "00000000-0000-0000-0000-000000000000"
    assert opened == [folder]


def test_a_server_that_the_environment_names_wins(
    folder: Path, opened: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder / ".azureml" / "config.json", DOWNLOADED)
    monkeypatch.setenv("SUBLIGHT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("SUBLIGHT_TOKEN", "t")

    workspace = Workspace.from_config()

    assert workspace.name == "quick-starts"
    assert workspace.compute_targets == {}
    assert opened == [None]


def test_a_run_gives_its_workspace_s_names_through_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBLIGHT_URL", "http://127.0.0.1:1")
    for name, value in (("SUBSCRIPTION", "s"), ("RESOURCEGROUP", "r"), ("WORKSPACE_NAME", "w")):
        monkeypatch.setenv(f"AZUREML_ARM_{name}", value)

    workspace = Workspace.from_config()

    assert (workspace.subscription_id, workspace.resource_group, workspace.name) == ("s", "r", "w")


def test_nothing_at_all_is_the_user_s_error(folder: Path) -> None:
    with pytest.raises(UserErrorException, match=r"no config.json was found .* and no Sublight workspace"):
        Workspace.from_config()


def test_a_workspace_is_got_made_and_listed_under_any_name(
    folder: Path, opened: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    got = Workspace.get(name="mine", subscription_id="s", resource_group="r")
    made = Workspace.create(
        name="fresh", subscription_id="s", resource_group="r", location="westeurope", create_resource_group=True
    )

    assert (got.name, made.name) == ("mine", "fresh")
    assert "fresh is ready" in capsys.readouterr().out
    with pytest.raises(WorkspaceException, match="exist_ok=True"):
        Workspace.create(name="fresh", subscription_id="s", resource_group="r")
    assert Workspace.create("fresh", subscription_id="s", resource_group="r", exist_ok=True).name == "fresh"
    with pytest.raises(UserErrorException, match="3 to 33"):
        Workspace.create("no blanks allowed")
    assert {name: [one.name for one in found] for name, found in Workspace.list("s").items()} == {
        "workspace": ["workspace"]
    }
    assert Workspace.setup().name == "workspace"


def test_default_clusters_are_made_with_the_workspace(folder: Path, opened: list[Any]) -> None:
    workspace = Workspace.create(
        "fresh", default_cpu_compute_target=Workspace.DEFAULT_CPU_CLUSTER_CONFIGURATION, show_output=False
    )

    target = workspace.get_default_compute_target("CPU")
    assert target is not None
    assert (target.name, target.vm_size) == ("cpu-cluster", "STANDARD_DS2_V2")


def test_its_details_have_the_original_s_keys(ws: Workspace) -> None:
    details = ws.get_details()

    assert {key: details[key] for key in ("id", "name", "location", "type", "sku", "tags")} == {
        "id": "/subscriptions/sub-1/resourceGroups/group-1/providers/Microsoft.MachineLearningServices/workspaces/"
        "old-workspace",
        "name": "old-workspace",
        "location": "local",
        "type": "Microsoft.MachineLearningServices/workspaces",
        "sku": "Basic",
        "tags": {},
    }
    assert details["workspaceid"] == ws._sdk.details.id
    assert set(details) >= {
        "description", "friendlyName", "creationTime", "containerRegistry", "keyVault", "applicationInsights",
        "storageAccount", "hbiWorkspace", "imageBuildCompute", "systemDatastoresAuthMode",
    }  # fmt: skip


def test_what_there_is_none_of_is_an_empty_dictionary(ws: Workspace) -> None:
    assert (ws.webservices, ws.images, ws.linked_services, ws.private_endpoints) == ({}, {}, {}, {})
    assert ws.get_default_compute_target("CPU") is None
    with pytest.raises(UserErrorException, match="'CPU' or 'GPU'"):
        ws.get_default_compute_target("TPU")


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda ws: ws.delete(), "may not remove"),
        (lambda ws: ws.sync_keys(), "no keys"),
        (lambda ws: ws.list_keys(), "no keys"),
        (lambda ws: ws.get_mlflow_tracking_uri(), "no MLflow server"),
        (lambda ws: ws.update(description="x"), "keeps no description"),
        (lambda ws: ws.update_dependencies(), "no container registry"),
        (lambda ws: ws.diagnose_workspace({}), "network in Azure"),
        (lambda ws: ws.add_private_endpoint(None), "no private network"),
        (lambda ws: ws.delete_private_endpoint_connection("x"), "no private network"),
        (lambda ws: ws.get_connection("x"), "no connections"),
        (lambda ws: ws.list_connections(), "no connections"),
        (lambda ws: ws.set_connection("n", "c", "t", "a", "v"), "no connections"),
        (lambda ws: ws.delete_connection("x"), "no connections"),
        (lambda ws: ws.service_context.anything(), "no Azure services"),
    ],
)
def test_what_sublight_does_not_have_refuses_in_a_sentence(call: Any, told: str) -> None:
    with pytest.raises(NotSupportedByFacade, match=told):
        call(Workspace("s", "r", "w"))


def test_secrets_are_read_from_the_environment_and_never_stored(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = ws.get_default_keyvault()
    monkeypatch.setenv("DB_PASSWORD", "xyz")

    assert vault.get_secret("db-password") == "xyz"
    assert vault.get_secrets(["db-password"]) == {"db-password": "xyz"}
    assert vault.list_secrets() == []
    with pytest.raises(UserErrorException, match="OTHER_ONE"):
        vault.get_secret("other-one")
    for refused in (lambda: vault.set_secret("a-b", "v"), lambda: vault.delete_secret("a-b")):
        with pytest.raises(NotSupportedByFacade, match="A_B"):
            refused()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        *names("azureml.core.keyvault", "azureml.core.resource_configuration"),
        ("azureml.core", "Keyvault"),
        ("azureml.core", "LinkedService"),
        ("azureml.core", "PrivateEndPoint"),
        ("azureml.core", "PrivateEndPointConfig"),
        ("azureml.core", "SynapseWorkspaceLinkedServiceConfiguration"),
        ("azureml.core", "diagnostic_log"),
    ],
)
def test_the_small_classes_around_it_have_the_original_s_members(module: str, name: str) -> None:
    assert problems(module, name) == []


def test_a_diagnostic_log_holds_what_is_logged_while_it_is_open(folder: Path) -> None:
    from azureml.core import diagnostic_log

    with diagnostic_log(log_path=folder / "all.log"):
        logging.getLogger("azureml.core.workspace").debug("inside")
    logging.getLogger("azureml.core.workspace").warning("outside")

    assert "azureml.core.workspace|DEBUG|inside" in (folder / "all.log").read_text()
    assert "outside" not in (folder / "all.log").read_text()


def test_reports_of_use_are_accepted_and_the_old_client_s_words_are_there() -> None:
    from azureml._restclient.constants import RunStatus
    from azureml._restclient.models.create_run_dto import CreateRunDto
    from azureml.telemetry import get_diagnostics_collection_info, set_diagnostics_collection
    from azureml.telemetry.activity import log_activity

    set_diagnostics_collection(send_diagnostics=True)
    assert get_diagnostics_collection_info()[0] is False
    with log_activity(logging.getLogger("x"), "train") as logger:
        logger.debug("quiet")
    assert RunStatus.COMPLETED == "Completed"
    assert CreateRunDto(run_id="a").as_dict() == {"run_id": "a"}


def test_a_broken_configuration_is_told_and_not_called_missing(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(folder / ".azureml" / "config.json", "{broken")

    with pytest.raises(UserErrorException, match=r"config\.json must be a JSON file.*mend it"):
        Workspace.from_config()
    assert "is passed over" in caplog.text
