"""``AmlCompute``: a cluster of the workspace under the names of the SDK v1."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from azureml._refusal import refuse
from azureml._translation import translated
from azureml.core.compute.compute import ComputeTarget, ComputeTargetProvisioningConfiguration, is_shown
from azureml.exceptions import ComputeTargetException

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace
    from sublight.sdk.cluster import Cluster, ClusterView, NodeView

module_logger = logging.getLogger(__name__)

DEFAULT_VM_SIZE = "STANDARD_DS3_V2"
# The priority has no meaning here and no place in Sublight; it is kept as a tag, so that scripts can read it again.
_PRIORITY_TAG = "azureml.vm_priority"
_PRIORITIES = {"dedicated": "Dedicated", "lowpriority": "LowPriority"}
_PORT_ACCESS = ("Enabled", "Disabled", "NotSpecified")
_POLL_SECONDS = 1.0
_DELETE_SECONDS = 120.0
_sleep = time.sleep
_clock = time.monotonic

_NODE_STATES = {
    "starting": "preparing",
    "idle": "idle",
    "busy": "running",
    "leaving": "leaving",
    "lost": "unusable",
    "unusable": "unusable",
}
_PROVISIONING_STATES = {"ready": "Succeeded", "unusable": "Failed", "deleting": "Deleting"}
_IDENTITY_WHY = "nodes on machines you own have no identity in Azure"
_QUOTA_WHY = "there are no quotas on machines you own; max_nodes is the only limit"


class AmlCompute(ComputeTarget):
    """A cluster. A made one is found by name; ``ComputeTarget.create`` makes one.

    ``vm_size`` may be any name: cores and memory follow the size, and GPUs are there only when the server's host has
    them, of which a line of the log tells. ``vm_priority``, networks, users and identities are accepted and mean nothing.
    """

    _compute_type = "AmlCompute"

    def __init__(self, workspace: Workspace, name: str) -> None:
        super().__init__(workspace, name)
        with translated(missing=ComputeTargetException, refused=ComputeTargetException):
            cluster = workspace._sdk.clusters.get(name)
        if not is_shown(cluster):
            raise ComputeTargetException(
                f"there is no compute target {name!r} in the workspace {workspace.name}"
                + ("; it is being deleted" if cluster.name != "local" else "; 'local' needs none")
            )
        self._load(cluster)

    @classmethod
    def _of(cls, workspace: Workspace, cluster: Cluster) -> AmlCompute:
        """The object of a cluster that was read already."""
        target = object.__new__(cls)
        ComputeTarget.__init__(target, workspace, cluster.name)
        target._load(cluster)
        return target

    @staticmethod
    def provisioning_configuration(
        vm_size: str = "",
        vm_priority: str = "dedicated",
        min_nodes: int = 0,
        max_nodes: int | None = None,
        idle_seconds_before_scaledown: int = 1800,
        admin_username: str | None = None,
        admin_user_password: str | None = None,
        admin_user_ssh_key: str | None = None,
        vnet_resourcegroup_name: str | None = None,
        vnet_name: str | None = None,
        subnet_name: str | None = None,
        tags: dict[str, str] | None = None,
        description: str | None = None,
        remote_login_port_public_access: str = "NotSpecified",
        identity_type: str | None = None,
        identity_id: list[str] | None = None,
        location: str | None = None,
        enable_node_public_ip: bool = True,
    ) -> AmlComputeProvisioningConfiguration:
        """How a cluster is to be made; ComputeTargetException says what contradicts itself."""
        return AmlComputeProvisioningConfiguration(
            vm_size,
            vm_priority,
            min_nodes,
            max_nodes,
            idle_seconds_before_scaledown,
            admin_username,
            admin_user_password,
            admin_user_ssh_key,
            vnet_resourcegroup_name,
            vnet_name,
            subnet_name,
            tags,
            description,
            remote_login_port_public_access,
            identity_type,
            identity_id,
            location,
            enable_node_public_ip,
        )

    @staticmethod
    def supported_vmsizes(workspace: Workspace, location: str | None = None) -> list[dict[str, Any]]:
        """The sizes that the server knows by name; a cluster may be given any other name as well."""
        with translated(refused=ComputeTargetException):
            sizes = workspace._sdk.clusters.sizes()
        return [
            {
                "name": size.name,
                "vCPUs": size.cores,
                "gpus": size.gpus,
                "memoryGB": size.memory_bytes / 2**30,
                "maxResourceVolumeMB": size.disk_bytes // 2**20,
            }
            for size in sizes
        ]

    def get_status(self) -> AmlComputeStatus | None:
        """Its nodes and limits as they are now; None, and a printed line, while it is not made or no longer there."""
        self.refresh_state()
        if self.provisioning_state not in ("Succeeded", "Updating"):
            print(f"The cluster {self.name} is {self.provisioning_state}: {self._view.reason}")
            return None
        return self.status

    def refresh_state(self) -> None:
        """Read everything anew."""
        with translated(missing=ComputeTargetException, refused=ComputeTargetException):
            cluster = self._cluster.refresh()
        self._load(cluster)

    def list_nodes(self) -> list[dict[str, Any]]:
        """Its nodes: nodeId, nodeState, runId (of the first run on it), addresses and port."""
        self.refresh_state()
        return [_node_facts(node) for node in _live(self._view)]

    def get_active_runs(
        self,
        type: str | None = None,
        tags: Any = None,
        properties: Any = None,
        status: str | None = None,
    ) -> Iterator[Any]:
        """Its runs that are running or wait for it (``status``: one of ``Running`` and ``Queued`` only)."""
        from azureml.core.run import Run

        if status not in (None, "Running", "Queued"):
            raise ComputeTargetException(f"status must be 'Running' or 'Queued', got {status!r}")
        for one in (status,) if status else ("Running", "Queued"):
            yield from Run.list_by_compute(self, type=type, tags=tags, properties=properties, status=one)

    def update(
        self,
        min_nodes: int | None = None,
        max_nodes: int | None = None,
        idle_seconds_before_scaledown: int | None = None,
    ) -> None:
        """Change its limits; what is None stays. Size and priority cannot be changed."""
        if min_nodes is None and max_nodes is None and idle_seconds_before_scaledown is None:
            return
        with translated(missing=ComputeTargetException, refused=ComputeTargetException):
            cluster = self._cluster.update(
                min_nodes=_number(min_nodes),
                max_nodes=_number(max_nodes),
                idle_seconds=_number(idle_seconds_before_scaledown),
            )
        self._load(cluster)

    def delete(self) -> None:
        """Remove it, with the runs that are on it or wait for it; returns at once."""
        with translated(missing=ComputeTargetException, refused=ComputeTargetException):
            self._cluster.delete(force=True)
        self.provisioning_state = "Deleting"

    def detach(self) -> None:
        """Refused, as in the original: a cluster is deleted."""
        raise ComputeTargetException(f"the cluster {self.name} was made and not attached; delete() removes it")

    def wait_for_completion(  # type: ignore[override]
        self,
        show_output: bool = False,
        min_node_count: int | None = None,
        timeout_in_minutes: float = 25,
        is_delete_operation: bool = False,
    ) -> None:
        """Come back when it is made and ``min_node_count`` (its own ``min_nodes``) of its nodes are up.

        With ``is_delete_operation`` when it is gone. ComputeTargetException, with the reason, when it cannot be made. A
        time that runs out and nodes that cannot come up are only printed, and stand in ``get_status().errors``. Nodes
        start when runs wait, so it does not wait for more than ``min_nodes`` while none does.
        """
        started = _clock()
        if is_delete_operation:
            gone = self._wait_until_gone(timeout_in_minutes * 60)
            print(f"The cluster {self.name} is {'deleted' if gone else 'still being deleted'}")
            return
        shown = ""
        while True:
            self.refresh_state()
            if self.provisioning_state != "Succeeded":
                raise ComputeTargetException(
                    f"the cluster {self.name} is {self.provisioning_state}: {self._view.reason}"
                )
            wanted = self._view.min_nodes if min_node_count is None else min_node_count
            up = sum(node.state in ("idle", "busy") for node in _live(self._view))
            line = f"{self.provisioning_state}: {up} of {wanted} nodes are up"
            if show_output and line != shown:
                print(line)
                shown = line
            ending = self._ending(wanted, up, _clock() - started, timeout_in_minutes * 60)
            if ending:
                print(ending)
                return
            _sleep(_POLL_SECONDS)

    def _ending(self, wanted: int, up: int, waited: float, timeout: float) -> str:
        """The sentence that ends a wait, when it has ended."""
        view = self._view
        if up >= wanted:
            return f"The cluster {self.name} is ready"
        if self.status.errors:
            return f"The cluster {self.name} is made, but has errors: {self.status.errors[0]['error']['message']}"
        if wanted > max(view.min_nodes, view.target_nodes) and not view.queued_runs:
            return f"The cluster {self.name} is ready; more nodes than {view.min_nodes} start when runs wait for them"
        if waited >= timeout:
            return f"The time of {timeout / 60:g} minutes is over; {up} of {wanted} nodes are up"
        return ""

    def _wait_until_gone(self, timeout: float) -> bool:
        return _wait_until_gone(self.workspace, self.name, timeout)

    def get(self) -> dict[str, Any]:
        """What ``serialize`` says, read anew."""
        self.refresh_state()
        return self.serialize()

    def serialize(self) -> dict[str, Any]:
        """It as plain data."""
        return {
            "id": self.id,
            "name": self.name,
            "type": "Microsoft.MachineLearningServices/workspaces/computes",
            "tags": dict(self.tags),
            "location": self.location,
            "created_on": self.created_on,
            "modified_on": self.modified_on,
            "provisioningState": self.provisioning_state,
            "provisioningErrors": self.provisioning_errors,
            "properties": {
                "computeType": self.type,
                "computeLocation": self.cluster_location,
                "description": self.description,
                "resourceId": self.cluster_resource_id,
                "provisioningState": self.provisioning_state,
                "provisioningErrors": self.provisioning_errors,
                "isAttachedCompute": self.is_attached,
                "properties": {
                    "vmSize": self.vm_size,
                    "vmPriority": self.vm_priority,
                    "scaleSettings": self.scale_settings.serialize(),
                    "userAccountCredentials": {
                        "adminUserName": self.admin_username,
                        "adminUserPassword": self.admin_user_password,
                        "adminUserSshPublicKey": self.admin_user_ssh_key,
                    },
                    "subnet": None,
                    "status": self.status.serialize(),
                },
            },
        }

    def add_identity(self, identity_type: str, identity_id: list[str] | None = None) -> None:
        """Refused: nodes have no identity."""
        refuse("AmlCompute.add_identity", _IDENTITY_WHY)

    def remove_identity(self, identity_id: list[str] | None = None) -> None:
        """Refused: nodes have no identity."""
        refuse("AmlCompute.remove_identity", _IDENTITY_WHY)

    @staticmethod
    def list_usages(workspace: Workspace, show_all: bool = False, location: str | None = None) -> Any:
        """Refused: there are no quotas."""
        refuse("AmlCompute.list_usages", _QUOTA_WHY)

    @staticmethod
    def list_quotas(workspace: Workspace, location: str | None = None) -> Any:
        """Refused: there are no quotas."""
        refuse("AmlCompute.list_quotas", _QUOTA_WHY)

    @staticmethod
    def update_quotas(
        workspace: Workspace, vm_family: Any, limit: int | None = None, location: str | None = None
    ) -> Any:
        """Refused: there are no quotas."""
        refuse("AmlCompute.update_quotas", _QUOTA_WHY)

    @property
    def _view(self) -> ClusterView:
        return self._cluster.view

    def _load(self, cluster: Cluster) -> None:
        """Take over what was read of the cluster."""
        self._cluster = cluster
        view = cluster.view
        self.id = f"{self.workspace._scope}/computes/{self.name}"
        self.location = self.workspace.location
        self.cluster_location = self.workspace.location
        self.cluster_resource_id = None
        self.description = view.description or None
        self.tags = {key: value for key, value in view.tags.items() if key != _PRIORITY_TAG}
        self.created_on = _iso(view.created)
        self.modified_on = self.created_on
        self.provisioning_state = _PROVISIONING_STATES.get(view.state, view.state)
        self.provisioning_errors = _errors([view.reason]) if view.state == "unusable" else None
        self.is_attached = False
        self.vm_size = view.size.name
        self.vm_priority = _PRIORITIES.get(view.tags.get(_PRIORITY_TAG, ""), "Dedicated")
        self.scale_settings = ScaleSettings(view.min_nodes, view.max_nodes, view.idle_seconds)
        self.admin_username: str | None = None
        self.admin_user_password: str | None = None
        self.admin_user_ssh_key: str | None = None
        self.vnet_resourcegroup_name: str | None = None
        self.vnet_name: str | None = None
        self.subnet_name: str | None = None
        self.status = _status(view, self.vm_priority)


class AmlComputeProvisioningConfiguration(ComputeTargetProvisioningConfiguration):
    """How a cluster is to be made; every attribute is what was given."""

    def __init__(
        self,
        vm_size: str = "",
        vm_priority: str = "dedicated",
        min_nodes: int = 0,
        max_nodes: int | None = None,
        idle_seconds_before_scaledown: int = 1800,
        admin_username: str | None = None,
        admin_user_password: str | None = None,
        admin_user_ssh_key: str | None = None,
        vnet_resourcegroup_name: str | None = None,
        vnet_name: str | None = None,
        subnet_name: str | None = None,
        tags: dict[str, str] | None = None,
        description: str | None = None,
        remote_login_port_public_access: str = "NotSpecified",
        identity_type: str | None = None,
        identity_id: list[str] | None = None,
        compute_location: str | None = None,
        enable_node_public_ip: bool = True,
    ) -> None:
        super().__init__(AmlCompute, compute_location)
        self.vm_size = vm_size
        self.vm_priority = vm_priority
        self.min_nodes = _number(min_nodes) or 0
        self.max_nodes = _number(max_nodes)
        self.idle_seconds_before_scaledown = _number(idle_seconds_before_scaledown)
        self.admin_username = admin_username
        self.admin_user_password = admin_user_password
        self.admin_user_ssh_key = admin_user_ssh_key
        self.vnet_resourcegroup_name = vnet_resourcegroup_name
        self.vnet_name = vnet_name
        self.subnet_name = subnet_name
        self.tags = tags
        self.description = description
        self.remote_login_port_public_access = remote_login_port_public_access
        self.identity_type = identity_type
        self.identity_id = identity_id
        self.enable_node_public_ip = enable_node_public_ip
        self.validate_configuration()

    def validate_configuration(self) -> None:
        """Raise ComputeTargetException when it contradicts itself."""
        self._check_nodes()
        if self.vm_priority is not None and str(self.vm_priority).lower() not in _PRIORITIES:
            raise ComputeTargetException(f"vm_priority must be 'dedicated' or 'lowpriority', got {self.vm_priority!r}")
        self._check_user()
        network = (self.vnet_resourcegroup_name, self.vnet_name, self.subnet_name)
        if any(network) and not all(network):
            raise ComputeTargetException(
                "vnet_resourcegroup_name, vnet_name and subnet_name belong together; give all three of them or none"
            )
        if self.remote_login_port_public_access not in _PORT_ACCESS:
            raise ComputeTargetException(
                f"remote_login_port_public_access must be one of {', '.join(_PORT_ACCESS)}, got "
                f"{self.remote_login_port_public_access!r}"
            )
        if self.identity_type not in (None, "SystemAssigned", "UserAssigned"):
            raise ComputeTargetException(
                f"identity_type must be 'SystemAssigned' or 'UserAssigned', got {self.identity_type!r}"
            )
        has_ids = isinstance(self.identity_id, list) and bool(self.identity_id)
        if self.identity_type == "UserAssigned" and not has_ids:
            raise ComputeTargetException("identity_id must be a list with an id or more for the type 'UserAssigned'")
        if self.identity_id is not None and self.identity_type != "UserAssigned":
            raise ComputeTargetException("identity_id can be given with identity_type='UserAssigned' only")

    def _check_nodes(self) -> None:
        if self.max_nodes is None:
            raise ComputeTargetException("max_nodes is needed: how many nodes the cluster may grow to")
        for name in ("min_nodes", "max_nodes"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ComputeTargetException(f"{name} must be a whole number of 0 or more, got {value!r}")
        if self.max_nodes < self.min_nodes:
            raise ComputeTargetException(
                f"max_nodes must not be below min_nodes, got {self.max_nodes} and {self.min_nodes}"
            )
        idle = self.idle_seconds_before_scaledown
        if idle is not None and (isinstance(idle, bool) or not isinstance(idle, int | float) or idle < 0):
            raise ComputeTargetException(f"idle_seconds_before_scaledown must be 0 or more, got {idle!r}")

    def _check_user(self) -> None:
        if not (self.admin_username or self.admin_user_password or self.admin_user_ssh_key):
            return
        if not self.admin_username:
            raise ComputeTargetException("admin_username is needed with admin_user_password or admin_user_ssh_key")
        if not (self.admin_user_password or self.admin_user_ssh_key):
            raise ComputeTargetException("admin_username needs admin_user_password or admin_user_ssh_key beside it")
        password = self.admin_user_password
        if password and sum(bool(re.search(kind, password)) for kind in _CHARACTER_KINDS) < 3:
            raise ComputeTargetException(
                "admin_user_password must have three of these: a small letter, a capital letter, a digit, another sign"
            )

    def _create(self, workspace: Workspace, name: str) -> ComputeTarget:
        from sublight.sdk.errors import NameTaken

        tags = {str(key): str(value) for key, value in (self.tags or {}).items()}
        if str(self.vm_priority).lower() == "lowpriority":
            tags[_PRIORITY_TAG] = "lowpriority"
        # 0 meant "not set" to the original's service, which then took its own default.
        idle = self.idle_seconds_before_scaledown or 1800
        with translated(missing=ComputeTargetException, refused=ComputeTargetException):
            clusters = workspace._sdk.clusters
            for _ in range(2):
                try:
                    cluster = clusters.create(
                        name,
                        size=self.vm_size or DEFAULT_VM_SIZE,
                        min_nodes=self.min_nodes,
                        max_nodes=self.max_nodes or 0,
                        idle_seconds=idle,
                        description=self.description or "",
                        tags=tags,
                        size_may_differ=True,
                    )
                except NameTaken:
                    cluster = clusters.get(name)
                    if cluster.view.state == "deleting":
                        _wait_until_gone(workspace, name, _DELETE_SECONDS)
                        continue
                    cluster.update(min_nodes=self.min_nodes, max_nodes=self.max_nodes, idle_seconds=idle)
                    _tell_that_the_size_stays(cluster, self.vm_size)
                else:
                    _tell_what_the_size_became(cluster, workspace)
                return AmlCompute._of(workspace, cluster)
        raise ComputeTargetException(
            f"the cluster {name} is still being deleted; wait_for_completion(is_delete_operation=True) waits for it"
        )


_CHARACTER_KINDS = ("[a-z]", "[A-Z]", r"\d", r"[^a-zA-Z\d]")


class ScaleSettings:
    """The limits of a cluster."""

    def __init__(self, minimum_node_count: int, maximum_node_count: int, idle_seconds_before_scaledown: float) -> None:
        self.minimum_node_count = minimum_node_count
        self.maximum_node_count = maximum_node_count
        self.idle_seconds_before_scaledown = idle_seconds_before_scaledown

    def serialize(self) -> dict[str, Any]:
        """As plain data; the time in the form of ISO 8601, such as ``PT1800S``."""
        return {
            "minNodeCount": self.minimum_node_count,
            "maxNodeCount": self.maximum_node_count,
            "nodeIdleTimeBeforeScaleDown": f"PT{self.idle_seconds_before_scaledown:g}S",
        }

    @staticmethod
    def deserialize(object_dict: dict[str, Any]) -> ScaleSettings | None:
        """What ``serialize`` gave; None for nothing."""
        if not object_dict:
            return None
        return ScaleSettings(
            object_dict["minNodeCount"],
            object_dict["maxNodeCount"],
            _seconds_of(object_dict["nodeIdleTimeBeforeScaleDown"]),
        )


class AmlComputeNodeStateCounts:
    """How many nodes are in which state."""

    def __init__(
        self,
        idle_node_count: int,
        leaving_node_count: int,
        preempted_node_count: int,
        preparing_node_count: int,
        running_node_count: int,
        unusable_node_count: int,
    ) -> None:
        self.idle_node_count = idle_node_count
        self.leaving_node_count = leaving_node_count
        self.preempted_node_count = preempted_node_count
        self.preparing_node_count = preparing_node_count
        self.running_node_count = running_node_count
        self.unusable_node_count = unusable_node_count

    def serialize(self) -> dict[str, int]:
        """As plain data."""
        return {
            "preparingNodeCount": self.preparing_node_count,
            "runningNodeCount": self.running_node_count,
            "idleNodeCount": self.idle_node_count,
            "unusableNodeCount": self.unusable_node_count,
            "leavingNodeCount": self.leaving_node_count,
            "preemptedNodeCount": self.preempted_node_count,
        }

    @staticmethod
    def deserialize(object_dict: dict[str, int]) -> AmlComputeNodeStateCounts | None:
        """What ``serialize`` gave; None for nothing."""
        if not object_dict:
            return None
        return AmlComputeNodeStateCounts(
            object_dict["idleNodeCount"],
            object_dict["leavingNodeCount"],
            object_dict["preemptedNodeCount"],
            object_dict["preparingNodeCount"],
            object_dict["runningNodeCount"],
            object_dict["unusableNodeCount"],
        )


class AmlComputeStatus:
    """A cluster at one moment. Times are texts in the form of ISO 8601."""

    def __init__(
        self,
        allocation_state: str,
        allocation_state_transition_time: str | None,
        creation_time: str | None,
        current_node_count: int,
        errors: list[dict[str, Any]] | None,
        modified_time: str | None,
        node_state_counts: AmlComputeNodeStateCounts | None,
        provisioning_state: str,
        provisioning_state_transition_time: str | None,
        scale_settings: ScaleSettings | None,
        target_node_count: int,
        vm_priority: str,
        vm_size: str,
    ) -> None:
        self.allocation_state = allocation_state
        self.allocation_state_transition_time = allocation_state_transition_time
        self.creation_time = creation_time
        self.current_node_count = current_node_count
        self.errors = errors
        self.modified_time = modified_time
        self.node_state_counts = node_state_counts
        self.provisioning_state = provisioning_state
        self.provisioning_state_transition_time = provisioning_state_transition_time
        self.scale_settings = scale_settings
        self.target_node_count = target_node_count
        self.vm_priority = vm_priority
        self.vm_size = vm_size

    def serialize(self) -> dict[str, Any]:
        """As plain data, under the keys of the original."""
        return {
            "currentNodeCount": self.current_node_count,
            "targetNodeCount": self.target_node_count,
            "nodeStateCounts": self.node_state_counts.serialize() if self.node_state_counts else None,
            "allocationState": self.allocation_state,
            "allocationStateTransitionTime": self.allocation_state_transition_time,
            "errors": self.errors,
            "creationTime": self.creation_time,
            "modifiedTime": self.modified_time,
            "provisioningState": self.provisioning_state,
            "provisioningStateTransitionTime": self.provisioning_state_transition_time,
            "scaleSettings": self.scale_settings.serialize() if self.scale_settings else None,
            "vmPriority": self.vm_priority,
            "vmSize": self.vm_size,
        }

    @staticmethod
    def deserialize(object_dict: dict[str, Any]) -> AmlComputeStatus | None:
        """What ``serialize`` gave; None for nothing."""
        if not object_dict:
            return None
        return AmlComputeStatus(
            object_dict["allocationState"],
            object_dict["allocationStateTransitionTime"],
            object_dict["creationTime"],
            object_dict["currentNodeCount"],
            object_dict["errors"],
            object_dict["modifiedTime"],
            AmlComputeNodeStateCounts.deserialize(object_dict["nodeStateCounts"]),
            object_dict["provisioningState"],
            object_dict["provisioningStateTransitionTime"],
            ScaleSettings.deserialize(object_dict["scaleSettings"]),
            object_dict["targetNodeCount"],
            object_dict["vmPriority"],
            object_dict["vmSize"],
        )

    def __repr__(self) -> str:
        return f"AmlComputeStatus({self.serialize()!r})"


def _status(view: ClusterView, vm_priority: str) -> AmlComputeStatus:
    nodes = _live(view)
    states = [_NODE_STATES.get(node.state, node.state) for node in nodes]
    is_moving = any(state in ("preparing", "leaving") for state in states) or (
        view.state == "ready" and view.target_nodes != len(nodes)
    )
    faults = [view.reason] if view.state == "unusable" else []
    faults += [f"node {node.id}: {node.reason}" for node in nodes if node.state in ("unusable", "lost")]
    moved = max([node.started for node in nodes], default=view.created)
    return AmlComputeStatus(
        allocation_state="Resizing" if is_moving else "Steady",
        allocation_state_transition_time=_iso(moved),
        creation_time=_iso(view.created),
        current_node_count=len(nodes),
        errors=_errors(faults) or None,
        modified_time=_iso(view.created),
        node_state_counts=AmlComputeNodeStateCounts(
            idle_node_count=states.count("idle"),
            leaving_node_count=states.count("leaving"),
            preempted_node_count=0,
            preparing_node_count=states.count("preparing"),
            running_node_count=states.count("running"),
            unusable_node_count=states.count("unusable"),
        ),
        provisioning_state=_PROVISIONING_STATES.get(view.state, view.state),
        provisioning_state_transition_time=None,
        scale_settings=ScaleSettings(view.min_nodes, view.max_nodes, view.idle_seconds),
        target_node_count=view.target_nodes,
        vm_priority=vm_priority,
        vm_size=view.size.name,
    )


def _live(view: ClusterView) -> list[NodeView]:
    return [node for node in view.nodes if node.state != "gone"]


def _node_facts(node: NodeView) -> dict[str, Any]:
    return {
        "nodeId": node.id,
        "port": None,
        "publicIpAddress": None,
        "privateIpAddress": None,
        "nodeState": _NODE_STATES.get(node.state, node.state),
        "runId": node.run_ids[0] if node.run_ids else None,
    }


def _errors(sentences: list[str]) -> list[dict[str, Any]]:
    return [{"error": {"code": "ClusterFault", "message": sentence}} for sentence in sentences]


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _seconds_of(duration: str) -> float:
    match = re.fullmatch(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?", duration)
    if match is None:
        raise ComputeTargetException(f"a time must look like PT1800S, got {duration!r}")
    hours, minutes, seconds = match.groups(default="0")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _wait_until_gone(workspace: Workspace, name: str, timeout: float) -> bool:
    """True when the cluster is gone, False when the time is over."""
    from sublight.sdk.errors import NotFound

    started = _clock()
    while True:
        try:
            if workspace._sdk.clusters.get(name).view.state != "deleting":
                return True  # made anew by someone else
        except NotFound:
            return True
        if _clock() - started >= timeout:
            return False
        _sleep(_POLL_SECONDS)


def _tell_what_the_size_became(cluster: Cluster, workspace: Workspace) -> None:
    """One line when the nodes are not what the name of their size promises."""
    size = cluster.view.size
    known = {one.name: one for one in workspace._sdk.clusters.sizes()}
    if size.name not in known:
        module_logger.warning(
            "the cluster %s: the size %s is not known, so its nodes are taken to have %d cores and no GPU",
            cluster.name,
            size.name,
            size.cores,
        )
    elif known[size.name].gpus > size.gpus:
        module_logger.warning("the cluster %s: %s", cluster.name, cluster.view.reason)


def _tell_that_the_size_stays(cluster: Cluster, vm_size: str) -> None:
    has = cluster.view.size.name
    if vm_size and _bare(vm_size) != _bare(has):
        module_logger.warning(
            "the cluster %s exists with the size %s and keeps it; delete it first to have %s",
            cluster.name,
            has,
            vm_size,
        )


def _bare(vm_size: str) -> str:
    return vm_size.strip().upper().removeprefix("STANDARD_")


def _number(value: Any) -> Any:
    """A whole number that came as text, as from an environment variable; anything else as it is."""
    return int(value) if isinstance(value, str) and value.strip().isdecimal() else value
