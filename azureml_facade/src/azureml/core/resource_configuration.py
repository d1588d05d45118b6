"""``ResourceConfiguration``: what a registered model is to be given when it is served."""

from __future__ import annotations

from typing import Any

from azureml.exceptions import WebserviceException


class ResourceConfiguration:
    """Cores, memory in gigabytes and GPUs; None where it does not matter."""

    def __init__(self, cpu: float | None = None, memory_in_gb: float | None = None, gpu: int | None = None) -> None:
        for name, value in (("cpu", cpu), ("memory_in_gb", memory_in_gb), ("gpu", gpu)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
                raise WebserviceException(f"{name} must be a number of 0 or more, got {value!r}")
        self.cpu = cpu
        self.memory_in_gb = memory_in_gb
        self.gpu = gpu

    def serialize(self) -> dict[str, Any]:
        """As plain data."""
        return {"cpu": self.cpu, "memoryInGB": self.memory_in_gb, "gpu": self.gpu}

    @staticmethod
    def deserialize(payload_obj: dict[str, Any] | None) -> ResourceConfiguration | None:
        """What ``serialize`` gave; None for nothing."""
        if payload_obj is None:
            return None
        return ResourceConfiguration(payload_obj.get("cpu"), payload_obj.get("memoryInGB"), payload_obj.get("gpu"))
