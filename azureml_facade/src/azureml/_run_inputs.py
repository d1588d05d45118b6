"""``run.input_datasets`` and ``run.output_datasets`` inside a run.

What a run was given stands in the ``annotations.json`` of its folder; where it lies on this machine, in the environment
variables that ``azureml._node`` set before the script started.
"""

from __future__ import annotations

import os
from typing import Any

from azureml._annotations import read_annotations
from azureml._refusal import refuse

_PATH_MODES = ("mount", "download", "hdfs")


class InputDatasets(dict):  # type: ignore[type-arg]  # as in the original, a dict by name
    """A dataset for an input in direct mode, the path for one that was mounted or downloaded.

    Datasets are looked up when they are asked for: a script that reads paths needs no server.
    """

    def __init__(self, workspace: Any) -> None:
        super().__init__()
        self._workspace = workspace
        self._inputs = {one["name"]: one for one in read_annotations().get("inputs", [])}
        for name in self._inputs:
            super().__setitem__(name, None)

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        if value is None:
            value = self._found(self._inputs[name])
            super().__setitem__(name, value)
        return value

    def get(self, name: str, default: Any = None) -> Any:
        """The input, or ``default`` when there is none of this name."""
        # Not dict.get, which would give the None that stands for "not looked up yet".
        return self[name] if name in self else default  # noqa: SIM401

    def values(self) -> Any:
        """All inputs."""
        return [self[name] for name in self]

    def items(self) -> Any:
        """All inputs with their names."""
        return [(name, self[name]) for name in self]

    def _found(self, one: dict[str, Any]) -> Any:
        if one.get("mode") in _PATH_MODES:
            path = os.environ.get(one["name"]) or os.environ.get(f"AZUREML_DATAREFERENCE_{one['name']}")
            if path:
                return path
        from azureml.data._on_node import dataset_of

        workspace = self._workspace() if callable(self._workspace) else self._workspace
        return dataset_of(one, workspace)


class OutputDatasets(dict):  # type: ignore[type-arg]  # as in the original, a dict by name
    """The folder of each output, by name."""

    def __init__(self, workspace: Any) -> None:
        super().__init__()
        for one in read_annotations().get("outputs", []):
            path = os.environ.get(f"AZUREML_DATAREFERENCE_{one['name']}") or os.environ.get(one["name"])
            if path:
                self[one["name"]] = path


class LinkOutput:
    """An output that is an existing dataset instead of a folder."""

    def __init__(self, workspace: Any, name: str | None = None) -> None:
        self._workspace = workspace
        self.name = name

    def link(self, dataset: Any, run: Any = None) -> None:
        """Refuse: an output is a folder."""
        refuse(
            "LinkOutput.link", "an output is a folder that the run fills; register the dataset by dataset.register()"
        )
