"""``ComputeTarget``: what runs are sent to, found by name, made, deleted."""

from __future__ import annotations

import builtins
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NoReturn

from azureml._refusal import refuse
from azureml._translation import translated
from azureml.exceptions import ComputeTargetException, UserErrorException

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace
    from sublight.sdk.cluster import Cluster

# Names that are no clusters: the target ``local``, and words that the original kept for itself.
RESERVED_NAMES = ("amlcompute", "local", "containerinstance")


class ComputeTarget(ABC):
    """A compute target by its name; the object is of the class of its kind, which is AmlCompute here.

    ComputeTargetException when the workspace has none of this name, so that
    ``try: ComputeTarget(...) except ComputeTargetException: ComputeTarget.create(...)`` works.
    """

    _compute_type: str = ""

    name: str
    workspace: Workspace

    def __new__(cls, workspace: Workspace, name: str) -> ComputeTarget:
        if cls is ComputeTarget:
            from azureml.core.compute.amlcompute import AmlCompute

            return object.__new__(AmlCompute)
        return object.__new__(cls)

    def __init__(self, workspace: Workspace, name: str) -> None:
        self.workspace = workspace
        self.name = name
        self.type = self._compute_type

    @staticmethod
    def create(
        workspace: Workspace, name: str, provisioning_configuration: ComputeTargetProvisioningConfiguration
    ) -> ComputeTarget:
        """Make a cluster as the configuration says, or change the limits of the one of this name; returns at once."""
        check_name(name)
        if not isinstance(provisioning_configuration, ComputeTargetProvisioningConfiguration):
            raise ComputeTargetException(
                f"ComputeTarget.create needs what AmlCompute.provisioning_configuration(...) gives, got "
                f"{type(provisioning_configuration).__name__}"
            )
        provisioning_configuration.validate_configuration()
        return provisioning_configuration._create(workspace, name)

    @staticmethod
    def attach(
        workspace: Workspace, name: str, attach_configuration: ComputeTargetAttachConfiguration
    ) -> ComputeTarget:
        """Refused: the machines of a Sublight workspace are not attached by name."""
        kind = getattr(attach_configuration, "_type", "") or type(attach_configuration).__name__
        refuse(
            "ComputeTarget.attach",
            f"a target of the kind {kind} cannot be attached; make a cluster with ComputeTarget.create and "
            "AmlCompute.provisioning_configuration",
        )

    @staticmethod
    def list(workspace: Workspace) -> list[ComputeTarget]:
        """All clusters of the workspace; those that are being deleted are gone already."""
        from azureml.core.compute.amlcompute import AmlCompute

        with translated(refused=ComputeTargetException):
            clusters = workspace._sdk.clusters.list()
        return [AmlCompute._of(workspace, cluster) for cluster in clusters if is_shown(cluster)]

    @staticmethod
    def deserialize(workspace: Workspace, object_dict: dict[str, Any]) -> ComputeTarget:
        """The compute target that ``serialize`` of one gave, as it is now."""
        try:
            name = object_dict["name"]
        except (KeyError, TypeError) as error:
            raise ComputeTargetException(
                "deserialize needs the dictionary that serialize gave, which holds the name"
            ) from error
        return workspace_target(workspace, name)

    @abstractmethod
    def delete(self) -> None:
        """Remove it; returns at once."""

    @abstractmethod
    def detach(self) -> None:
        """Let go of a target that was attached."""

    @abstractmethod
    def refresh_state(self) -> None:
        """Read its attributes anew."""

    @abstractmethod
    def serialize(self) -> dict[str, Any]:
        """It as plain data."""

    def get_status(self) -> Any:
        """Its provisioning state."""
        self.refresh_state()
        return self.provisioning_state

    @abstractmethod
    def wait_for_completion(self, show_output: bool = False, is_delete_operation: bool = False) -> None:
        """Come back when it is made, or gone."""

    provisioning_state: str = ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(workspace={self.workspace!r}, name={self.name!r}, type={self.type!r})"


class ComputeTargetProvisioningConfiguration(ABC):
    """How a compute target is to be made; checked when ``validate_configuration`` is called."""

    def __init__(self, type: builtins.type[Any] | None, location: str | None) -> None:
        self._compute_type = type
        self.location = location

    @abstractmethod
    def validate_configuration(self) -> None:
        """Raise ComputeTargetException when it contradicts itself."""

    def _create(self, workspace: Workspace, name: str) -> ComputeTarget:
        what = self._compute_type.__name__ if self._compute_type is not None else type(self).__name__
        refuse_kind(f"{what}.create", what)


class ComputeTargetAttachConfiguration(ABC):
    """Which machine is to be attached."""

    def __init__(self, type: Any) -> None:
        self._type = getattr(type, "__name__", str(type))

    @abstractmethod
    def validate_configuration(self) -> None:
        """Raise ComputeTargetException when it contradicts itself."""


class ComputeTargetUpdateConfiguration(ABC):
    """What is to be changed in a compute target."""

    def __init__(self, type: Any) -> None:
        self._type = getattr(type, "__name__", str(type))

    @abstractmethod
    def validate_configuration(self) -> None:
        """Raise ComputeTargetException when it contradicts itself."""


def workspace_target(workspace: Workspace, name: str) -> ComputeTarget:
    """The compute target of this name; ComputeTargetException when there is none."""
    from azureml.core.compute.amlcompute import AmlCompute

    return AmlCompute(workspace, name)


def check_name(name: str) -> None:
    """UserErrorException for the names that no cluster may have."""
    if not isinstance(name, str) or not name:
        raise UserErrorException(f"a compute target needs a name, got {name!r}")
    if name.lower() in RESERVED_NAMES:
        raise UserErrorException(
            f"{name!r} cannot be the name of a compute target, because it is kept for what needs none to be made; "
            "choose another"
        )


def is_shown(cluster: Cluster) -> bool:
    """Whether the original would have shown this cluster: ``local`` is no compute target, a deleted one is gone."""
    return cluster.name != "local" and cluster.view.state != "deleting"


def refuse_kind(what: str, kind: str) -> NoReturn:
    """Refuse a verb of a compute target that only Azure has."""
    refuse(
        what,
        f"{kind} exists in Azure only; make a cluster with AmlCompute.provisioning_configuration and "
        "ComputeTarget.create, or run on 'local'",
    )
