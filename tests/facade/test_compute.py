"""Compute targets: the idioms that every script has, over a server in this process."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from azureml.core import ComputeTarget as ComputeTargetOfCore
from azureml.core.compute import AksCompute, AmlCompute, ComputeInstance, ComputeTarget, RemoteCompute, amlcompute
from azureml.core.compute.amlcompute import AmlComputeStatus
from azureml.core.compute_target import ComputeTargetException
from azureml.core.workspace import Workspace
from azureml.exceptions import NotSupportedByFacade, UserErrorException
from tests.facade.surface import names, problems
from tests.server.harness import Harness


@pytest.fixture
def ws(ws: Workspace, harness: Harness, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """While the facade waits, the server's loops run and its clock goes on."""

    def go_on(seconds: float) -> None:
        harness.clock.advance(seconds)
        harness.settle()

    monkeypatch.setattr(amlcompute, "_sleep", go_on)
    monkeypatch.setattr(amlcompute, "_clock", harness.clock.now)
    return ws


def configuration(**values: Any) -> Any:
    return AmlCompute.provisioning_configuration(**{"vm_size": "STANDARD_D3_V2", "max_nodes": 4, **values})


@pytest.mark.parametrize(
    ("module", "name"),
    names(
        "azureml.core.compute",
        "azureml.core.compute.compute",
        "azureml.core.compute.amlcompute",
        "azureml.core.compute.computeinstance",
        "azureml.core.compute.remote",
        "azureml.core.compute.kubernetescompute",
        "azureml.core.compute_target",
    ),
)
def test_a_class_has_the_original_s_constructor_and_members(module: str, name: str) -> None:
    assert problems(module, name) == []


def test_a_cluster_is_found_or_made_as_every_script_does_it(ws: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ComputeTargetException, match="hypercomputecpu"):
        ComputeTarget(workspace=ws, name="hypercomputecpu")

    made = ComputeTarget.create(ws, "hypercomputecpu", configuration())
    made.wait_for_completion(show_output=True)

    assert "Succeeded: 0 of 0 nodes are up" in capsys.readouterr().out
    found = ComputeTarget(ws, "hypercomputecpu")
    assert isinstance(found, AmlCompute)
    assert (found.name, found.type, found.vm_size, found.provisioning_state) == (
        "hypercomputecpu",
        "AmlCompute",
        "STANDARD_D3_V2",
        "Succeeded",
    )
    assert found.id == (
        "/subscriptions/sub-1/resourceGroups/group-1/providers/Microsoft.MachineLearningServices/workspaces/"
        "old-workspace/computes/hypercomputecpu"
    )
    assert AmlCompute(ws, "hypercomputecpu").name == "hypercomputecpu"
    assert ComputeTargetOfCore is ComputeTarget


def test_compute_targets_is_a_dictionary_with_an_ordinary_key_error(ws: Workspace) -> None:
    ComputeTarget.create(ws, "cpu", configuration())

    assert list(ws.compute_targets) == ["cpu"]
    assert isinstance(ws.compute_targets["cpu"], AmlCompute)
    with pytest.raises(KeyError):
        ws.compute_targets["gpu"]


def test_the_status_has_the_original_s_keys(ws: Workspace, harness: Harness) -> None:
    target = ComputeTarget.create(ws, "cpu", configuration(min_nodes=1, vm_priority="lowpriority"))
    harness.settle()
    harness.agents()

    status = target.get_status()

    assert isinstance(status, AmlComputeStatus)
    written = status.serialize()
    assert {key: written[key] for key in ("currentNodeCount", "targetNodeCount", "nodeStateCounts", "errors")} == {
        "currentNodeCount": 1,
        "targetNodeCount": 1,
        "nodeStateCounts": {
            "preparingNodeCount": 0,
            "runningNodeCount": 0,
            "idleNodeCount": 1,
            "unusableNodeCount": 0,
            "leavingNodeCount": 0,
            "preemptedNodeCount": 0,
        },
        "errors": None,
    }
    assert written["scaleSettings"] == {
        "minNodeCount": 1,
        "maxNodeCount": 4,
        "nodeIdleTimeBeforeScaleDown": "PT1800S",
    }
    assert (written["allocationState"], written["vmPriority"], written["vmSize"]) == (
        "Steady",
        "LowPriority",
        "STANDARD_D3_V2",
    )
    again = AmlComputeStatus.deserialize(written)
    assert again is not None
    assert again.serialize() == written
    assert (status.scale_settings.minimum_node_count, status.node_state_counts.idle_node_count) == (1, 1)
    (node,) = target.list_nodes()
    assert (node["nodeState"], node["runId"]) == ("idle", None)
    assert target.tags == {}


def test_waiting_ends_when_the_minimum_of_nodes_is_up(
    ws: Workspace, harness: Harness, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = ComputeTarget.create(ws, "cpu", configuration(min_nodes=2))

    def go_on(seconds: float) -> None:
        harness.clock.advance(seconds)
        harness.settle()
        harness.agents()

    monkeypatch.setattr(amlcompute, "_sleep", go_on)
    target.wait_for_completion(show_output=True, min_node_count=None, timeout_in_minutes=20)

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Succeeded: 0 of 2 nodes are up"
    assert lines[-2:] == ["Succeeded: 2 of 2 nodes are up", "The cluster cpu is ready"]


def test_waiting_says_when_its_time_is_over_and_raises_nothing(
    ws: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    target = ComputeTarget.create(ws, "cpu", configuration(min_nodes=1))

    target.wait_for_completion(timeout_in_minutes=1)

    assert capsys.readouterr().out == "The time of 1 minutes is over; 0 of 1 nodes are up\n"


def test_waiting_does_not_wait_for_nodes_that_no_run_needs(ws: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    target = ComputeTarget.create(ws, "cpu", configuration())

    target.wait_for_completion(min_node_count=1)

    assert "more nodes than 0 start when runs wait for them" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("vm_size", "cores", "told"),
    [
        ("Standard_NC6", 6, "size STANDARD_NC6 needs a GPU, and this host has none: its nodes have 6 cores and no GPU"),
        ("STANDARD_E16S_V3", 16, "the size STANDARD_E16S_V3 is not known"),
    ],
)
def test_sizes_that_the_host_cannot_have_run_on_its_cores_and_one_line_tells_it(
    ws: Workspace, vm_size: str, cores: int, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "azureml"):
        target = ComputeTarget.create(ws, "gpu", configuration(vm_size=vm_size))

    assert target.provisioning_state == "Succeeded"
    assert (target.vm_size, ws._sdk.clusters["gpu"].size.cores) == (vm_size.upper(), cores)
    (line,) = [record.getMessage() for record in caplog.records if record.name.startswith("azureml")]
    assert told in line


def test_a_known_size_needs_no_words(ws: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "azureml"):
        ComputeTarget.create(ws, "cpu", configuration(vm_size="Standard_d2_v2"))
        ComputeTarget.create(ws, "default", configuration(vm_size=""))

    assert [record for record in caplog.records if record.name.startswith("azureml")] == []
    assert ws.compute_targets["default"].vm_size == "STANDARD_DS3_V2"


def test_creating_an_existing_cluster_changes_its_limits_and_keeps_its_size(
    ws: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    ComputeTarget.create(ws, "cpu", configuration())

    with caplog.at_level(logging.WARNING, "azureml"):
        again = ComputeTarget.create(
            ws, "cpu", configuration(vm_size="STANDARD_D2_V2", max_nodes=6, idle_seconds_before_scaledown=60)
        )

    assert (again.vm_size, again.scale_settings.maximum_node_count) == ("STANDARD_D3_V2", 6)
    assert again.scale_settings.serialize()["nodeIdleTimeBeforeScaleDown"] == "PT60S"
    assert "keeps it" in caplog.text


def test_limits_can_be_changed(ws: Workspace) -> None:
    target = ComputeTarget.create(ws, "cpu", configuration())

    target.update(min_nodes=1, max_nodes=2, idle_seconds_before_scaledown=30)
    target.update()

    assert ComputeTarget(ws, "cpu").scale_settings.serialize() == {
        "minNodeCount": 1,
        "maxNodeCount": 2,
        "nodeIdleTimeBeforeScaleDown": "PT30S",
    }
    with pytest.raises(ComputeTargetException, match="min_nodes must be between"):
        target.update(min_nodes=9)


def test_a_deleted_cluster_is_gone_at_once_and_can_be_made_again(
    ws: Workspace, harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    target = ComputeTarget.create(ws, "cpu", configuration())

    target.delete()

    assert target.provisioning_state == "Deleting"
    with pytest.raises(ComputeTargetException, match="cpu"):
        ComputeTarget(ws, "cpu")
    assert ComputeTarget.create(ws, "cpu", configuration(vm_size="STANDARD_D2_V2")).vm_size == "STANDARD_D2_V2"
    target.delete()
    target.wait_for_completion(is_delete_operation=True)
    assert capsys.readouterr().out == "The cluster cpu is deleted\n"
    with pytest.raises(ComputeTargetException):
        target.get_status()


def test_active_runs_of_a_cluster_are_listed(ws: Workspace, harness: Harness) -> None:
    target = ComputeTarget.create(ws, "cpu", configuration())
    run = harness.submit(harness.script(), target="cpu")

    assert [one.id for one in target.get_active_runs()] == [run.id]
    assert [one.id for one in target.get_active_runs(status="Running")] == []
    with pytest.raises(ComputeTargetException, match="'Running' or 'Queued'"):
        list(target.get_active_runs(status="Completed"))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"max_nodes": None}, "max_nodes is needed"),
        ({"max_nodes": -1}, "max_nodes must be a whole number"),
        ({"min_nodes": -1}, "min_nodes must be a whole number"),
        ({"min_nodes": 5}, "max_nodes must not be below min_nodes"),
        ({"vm_priority": "cheap"}, "vm_priority must be"),
        ({"idle_seconds_before_scaledown": -5}, "idle_seconds_before_scaledown"),
        ({"admin_username": "me"}, "admin_user_password or admin_user_ssh_key"),
        ({"admin_user_password": "Abcd1234"}, "admin_username is needed"),
        ({"admin_username": "me", "admin_user_password": "abcdefgh"}, "three of these"),
        ({"vnet_name": "net"}, "belong together"),
        ({"remote_login_port_public_access": "maybe"}, "must be one of Enabled"),
        ({"identity_type": "Mine"}, "identity_type must be"),
        ({"identity_type": "UserAssigned"}, "identity_id must be a list"),
        ({"identity_id": ["x"]}, "identity_type='UserAssigned' only"),
    ],
)
def test_a_configuration_that_contradicts_itself_is_refused(values: dict[str, Any], told: str) -> None:
    with pytest.raises(ComputeTargetException, match=told):
        configuration(**values)


def test_a_configuration_keeps_what_was_given(ws: Workspace) -> None:
    made = configuration(
        vm_priority="lowpriority",
        admin_username="me",
        admin_user_password="Abc12345",
        tags={"team": "red"},
        description="for the lab",
        location="westeurope",
    )

    assert (made.vm_size, made.min_nodes, made.max_nodes, made.idle_seconds_before_scaledown) == (
        "STANDARD_D3_V2",
        0,
        4,
        1800,
    )
    target = ComputeTarget.create(ws, "cpu", made)
    assert (target.tags, target.description, target.vm_priority) == ({"team": "red"}, "for the lab", "LowPriority")
    assert target.get()["properties"]["properties"]["vmPriority"] == "LowPriority"
    assert ComputeTarget.deserialize(ws, target.serialize()).name == "cpu"


@pytest.mark.parametrize("name", ["local", "amlcompute", "containerinstance", ""])
def test_reserved_names_are_the_user_s_error(ws: Workspace, name: str) -> None:
    with pytest.raises(UserErrorException):
        ComputeTarget.create(ws, name, configuration())


def test_a_name_that_no_cluster_can_have_is_a_compute_target_exception(ws: Workspace) -> None:
    with pytest.raises(ComputeTargetException, match="2 to 24 letters"):
        ComputeTarget.create(ws, "a_b", configuration())


def test_local_is_no_compute_target(ws: Workspace, harness: Harness) -> None:
    harness.submit(harness.script(), target="local")

    assert ws.compute_targets == {}
    with pytest.raises(ComputeTargetException, match="'local' needs none"):
        ComputeTarget(ws, "local")


def test_what_only_azure_has_can_be_named_and_configured_and_refuses_at_the_call(ws: Workspace) -> None:
    with pytest.raises(ComputeTargetException, match="exists in Azure only"):
        AksCompute(ws, "aks")
    wanted = AksCompute.provisioning_configuration(cluster_purpose=AksCompute.ClusterPurpose.DEV_TEST)
    wanted.dns_service_ip = "10.0.0.10"
    with pytest.raises(NotSupportedByFacade, match="AksCompute exists in Azure only"):
        ComputeTarget.create(ws, "aks", wanted)
    machine = RemoteCompute.attach_configuration(username="me", address="10.0.0.1")
    with pytest.raises(NotSupportedByFacade, match="RemoteCompute cannot be attached"):
        ComputeTarget.attach(ws, "vm", machine)
    with pytest.raises(NotSupportedByFacade, match="ComputeInstance exists in Azure only"):
        ComputeTarget.create(ws, "mine", ComputeInstance.provisioning_configuration(vm_size="STANDARD_DS3_V2"))
    with pytest.raises(NotSupportedByFacade, match="no quotas"):
        AmlCompute.list_usages(ws)


def test_the_sizes_are_listed_as_the_original_did(ws: Workspace) -> None:
    (size,) = [one for one in AmlCompute.supported_vmsizes(ws) if one["name"] == "STANDARD_D2_V2"]

    assert size == {
        "name": "STANDARD_D2_V2",
        "vCPUs": 2,
        "gpus": 0,
        "memoryGB": 7.0,
        "maxResourceVolumeMB": 102400,
    }


def test_numbers_may_come_as_text_as_from_environment_variables(ws: Workspace) -> None:
    made = ComputeTarget.create(
        ws, "from-env", configuration(min_nodes="0", max_nodes="2", idle_seconds_before_scaledown="300")
    )
    assert (made.scale_settings.maximum_node_count, made.scale_settings.idle_seconds_before_scaledown) == (2, 300)

    made.update(max_nodes="3")
    assert made.scale_settings.maximum_node_count == 3
    with pytest.raises(ComputeTargetException, match="max_nodes must be a whole number"):
        configuration(max_nodes="many")
