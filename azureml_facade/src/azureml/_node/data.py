"""What a script reads and writes: inputs made ready before it starts, outputs taken in after it."""

from __future__ import annotations

import os
import re
import shlex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

INPUT_TEXT = "DatasetConsumptionConfig:"
OUTPUT_TEXT = "DatasetOutputConfig:"
REFERENCE_VARIABLE = "AZUREML_DATAREFERENCE_"
_DATASETS_VARIABLE = "AZUREML_DATASET_ENVIRONMENT_VARS"
_OUTPUTS_VARIABLE = "AZUREML_DATASET_FILE_OUTPUTS"
_PLACEHOLDER = re.compile(r"(DatasetConsumptionConfig|DatasetOutputConfig):([A-Za-z0-9_]+)")
_OUTPUTS_FOLDER = "azureml_outputs"


class NodeData:
    """The inputs, references and outputs of a run on this node: where each lies."""

    def __init__(self, annotations: dict[str, Any]) -> None:
        self._inputs = annotations.get("inputs") or []
        self._outputs = annotations.get("outputs") or []
        self._references = annotations.get("references") or []
        self._paths: dict[str, str] = {}
        self._folders: list[tuple[dict[str, Any], str]] = []

    def provide(self) -> None:
        """Make everything ready, and name it in the environment."""
        if not (self._inputs or self._outputs or self._references):
            return
        from azureml.data import _on_node

        workspace = _workspace() if self._inputs or self._references else None
        for one in self._inputs:
            self._keep(one["name"], str(_on_node.provide(one, workspace)))
        for one in self._references:
            path = str(_on_node.provide(one, workspace))
            self._keep(one["name"], path)
            self._folders.append((one, path))
        for one in self._outputs:
            folder = os.path.join(os.environ.get("SUBLIGHT_RUN_DIRECTORY", "."), _OUTPUTS_FOLDER, one["name"])
            os.makedirs(folder, exist_ok=True)
            self._keep(one["name"], folder)
            self._folders.append((one, folder))
        if self._inputs:
            os.environ[_DATASETS_VARIABLE] = ",".join(one["name"] for one in self._inputs)
        if self._outputs:
            os.environ[_OUTPUTS_VARIABLE] = ",".join(one["name"] for one in self._outputs)

    def collect(self) -> None:
        """Take in what the script wrote to its outputs, and to the references that it writes through."""
        if not self._folders:
            return
        from azureml.core.run import Run
        from azureml.data import _on_node

        workspace = _workspace()
        for one, folder in self._folders:
            _on_node.collect(one, folder, workspace, Run.get_context())

    def in_arguments(self, arguments: list[str]) -> list[str]:
        """The arguments with paths for placeholders, and values for ``$NAME`` of the environment, as on v1's nodes."""
        return [os.path.expandvars(self._filled(argument)) for argument in arguments]

    def in_line(self, line: str) -> str:
        """A shell line with paths for placeholders; the shell expands variables itself."""
        return _PLACEHOLDER.sub(lambda found: shlex.quote(self._paths.get(found.group(2), found.group())), line)

    def _filled(self, argument: str) -> str:
        return _PLACEHOLDER.sub(lambda found: self._paths.get(found.group(2), found.group()), argument)

    def _keep(self, name: str, path: str) -> None:
        self._paths[name] = path
        os.environ[REFERENCE_VARIABLE + name] = path
        # The original also set the bare name; one that means something to programs (PATH) stays as it is.
        os.environ.setdefault(name, path)


def _workspace() -> Any:
    from azureml.core.run import Run

    return Run.get_context().experiment.workspace
