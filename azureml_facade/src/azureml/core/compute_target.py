"""The oldest form of compute targets: ``ComputeTargetException``, which scripts import from here, and ``local``."""

from __future__ import annotations

from typing import Any

from azureml._refusal import refuse
from azureml.exceptions import ComputeTargetException, UserErrorException

__all__ = [
    "AbstractComputeTarget",
    "ComputeTargetException",
    "LocalTarget",
    "attach_legacy_compute_target",
    "is_compute_target_prepared",
    "prepare_compute_target",
    "remove_legacy_compute_target",
]

_LEGACY_WHY = "targets of this older kind are not attached; make a cluster with ComputeTarget.create, or use 'local'"


class AbstractComputeTarget:
    """A target by its kind and name."""

    def __init__(self, compute_target_type: str, name: str) -> None:
        self._type = compute_target_type
        self._name = name

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    @property
    def type(self) -> str:
        """Its kind."""
        return self._type

    @staticmethod
    def deserialize_from_dict(compute_target_name: str, compute_target_dict: dict[str, Any]) -> AbstractComputeTarget:
        """The target that a run configuration's dictionary describes; only ``local`` ones are left."""
        kind = compute_target_dict.get("type") if isinstance(compute_target_dict, dict) else None
        if kind != "local":
            raise UserErrorException(
                f"the target {compute_target_name!r} of the kind {kind!r} cannot be used: {_LEGACY_WHY}"
            )
        target = LocalTarget()
        target._name = compute_target_name
        return target


class LocalTarget(AbstractComputeTarget):
    """The machine of the server."""

    def __init__(self) -> None:
        super().__init__("local", "local")


def prepare_compute_target(experiment: Any, source_directory: str, run_config: Any) -> None:
    """Nothing to do: environments are prepared when a run starts."""


def is_compute_target_prepared(experiment: Any, source_directory: str, run_config: Any) -> bool:
    """True: environments are prepared when a run starts."""
    return True


def attach_legacy_compute_target(experiment: Any, source_directory: str, compute_target: Any) -> None:
    """Refused."""
    refuse("attach_legacy_compute_target", _LEGACY_WHY)


def remove_legacy_compute_target(experiment: Any, source_directory: str, compute_target_name: str) -> None:
    """Refused."""
    refuse("remove_legacy_compute_target", _LEGACY_WHY)


def __getattr__(name: str) -> Any:
    """The newer classes, which scripts look for here as well."""
    if name in ("ComputeTarget", "AmlCompute"):
        import azureml.core.compute

        return getattr(azureml.core.compute, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
