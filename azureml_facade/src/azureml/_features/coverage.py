"""How much of the SDK v1 works: by what people use, and by what was documented."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from azureml._features.table import Status, table
from azureml._features.usage import keyword_works, used_features, used_keywords

# The classes that the facade is for; the rest of the surface are their parts.
NAMED_CLASSES = [
    "Workspace",
    "Experiment",
    "Run",
    "ComputeTarget",
    "AmlCompute",
    "ScriptRunConfig",
    "Estimator",
    "PyTorch",
    "SKLearn",
    "TensorFlow",
    "RunConfiguration",
    "Environment",
    "CondaDependencies",
    "MpiConfiguration",
    "PyTorchConfiguration",
    "TensorflowConfiguration",
    "HyperDriveConfig",
    "HyperDriveRun",
    "RandomParameterSampling",
    "GridParameterSampling",
    "BayesianParameterSampling",
    "BanditPolicy",
    "MedianStoppingPolicy",
    "TruncationSelectionPolicy",
    "NoTerminationPolicy",
    "choice",
    "randint",
    "uniform",
    "quniform",
    "loguniform",
    "qloguniform",
    "normal",
    "qnormal",
    "lognormal",
    "qlognormal",
    "PrimaryMetricGoal",
    "Model",
    "Datastore",
    "AzureBlobDatastore",
    "Dataset",
    "TabularDatasetFactory",
    "FileDatasetFactory",
    "TabularDataset",
    "FileDataset",
    "DatasetConsumptionConfig",
    "OutputFileDatasetConfig",
    "RunDetails",
]

# How many names in scope the count of the sweeps has; its tables list those that are used most.
COUNTED_IN_SWEEPS = 199


@dataclass(slots=True)
class Coverage:
    """Counts by status, and the names that refuse."""

    used: Counter[str] = field(default_factory=Counter)
    used_in_sweeps: Counter[str] = field(default_factory=Counter)
    uses_refused: list[str] = field(default_factory=list)
    keywords: Counter[str] = field(default_factory=Counter)
    surface: Counter[str] = field(default_factory=Counter)
    classes: dict[str, Counter[str]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "used": dict(self.used),
            "used_in_sweeps": dict(self.used_in_sweeps),
            "used_and_refused": self.uses_refused,
            "keywords": dict(self.keywords),
            "surface": dict(self.surface),
            "classes": {name: dict(counts) for name, counts in self.classes.items()},
        }


def coverage() -> Coverage:
    """Count it."""
    found = Coverage()
    for use in used_features():
        status = use.feature.status.value
        found.used[status] += 1
        if use.in_sweeps:
            found.used_in_sweeps[status] += 1
        if use.feature.status is Status.REFUSED:
            found.uses_refused.append(use.name)
    for name, keyword, _ in used_keywords():
        found.keywords["works" if keyword_works(name, keyword) else "refused"] += 1
    known = table()
    for name in NAMED_CLASSES:
        owner = known.owners[name]
        members = ["()", *owner.members]
        found.classes[name] = Counter(known.of(name, member).status.value for member in members)
        found.surface.update(found.classes[name])
    return found


def sentences(found: Coverage) -> list[str]:
    """The counts in words."""
    refused = ", ".join(found.uses_refused)
    return [
        f"Of the {_all(found.used_in_sweeps)} names in scope that public HyperDrive scripts and notebooks are counted to use, "
        f"{_working(found.used_in_sweeps)} work ({COUNTED_IN_SWEEPS} were counted; the frequency tables list the most frequent).",
        f"Of the {_all(found.used)} names in scope that any public script or notebook is counted to use, {_working(found.used)} "
        f"work{f' (not: {refused})' if refused else ''}.",
        f"Of the {_all(found.keywords)} keywords that they give, {found.keywords['works']} are taken.",
        f"Of the {_all(found.surface)} documented names of the {len(found.classes)} classes and functions that the facade is "
        f"for, {_working(found.surface)} work and {found.surface['refused']} refuse with a sentence; none is missing.",
    ]


def _all(counts: Counter[str]) -> int:
    return counts.total()


def _working(counts: Counter[str]) -> int:
    return counts.total() - counts[Status.REFUSED.value]
