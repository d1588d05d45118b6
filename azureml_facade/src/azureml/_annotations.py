"""What the submitter wrote beside a run for the node: ``annotations["azureml"]``.

Standard library only, and readable by Python 3.8.
"""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ANNOTATIONS_FILE = "annotations.json"
KEY = "azureml"


def read_annotations(directory: str | None = None) -> dict[str, Any]:
    """The facade's annotations of the run around this process; empty for runs that were submitted without it."""
    folder = directory or os.environ.get("SUBLIGHT_RUN_DIRECTORY")
    if not folder:
        return {}
    try:
        with open(os.path.join(folder, ANNOTATIONS_FILE), encoding="utf-8") as file:
            annotations = json.load(file)
    except FileNotFoundError:
        return {}
    found = annotations.get(KEY, {})
    return found if isinstance(found, dict) else {}


def annotations_of(view: Any) -> dict[str, Any]:
    """The facade's annotations of a run as the server shows it; a trial shows those of its sweep's definition."""
    definition = getattr(view, "script", None)
    if definition is None and getattr(view, "sweep", None) is not None:
        definition = view.sweep.trial
    found = (getattr(definition, "annotations", None) or {}).get(KEY, {})
    return found if isinstance(found, dict) else {}
