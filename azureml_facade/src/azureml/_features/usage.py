"""How often people use a name of the SDK v1: counts over 1,994 public scripts and notebooks, and what of that works."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azureml._features.table import Feature, Status, Table, table

# Names under which the counts put together what are several classes, and words that are no part of a name.
_CLASSES = {
    "ComputeStatus": ("AmlComputeStatus",),
    "ComputeTarget": ("AmlCompute", "ComputeTarget"),
    "Dataset": ("TabularDataset", "FileDataset", "Dataset"),
    "Dataset.File": ("FileDatasetFactory",),
    "Dataset.Tabular": ("TabularDatasetFactory",),
    "Datastore": ("AzureBlobDatastore", "Datastore"),
    "Model.Framework": ("Framework",),
}
_CALLED_ESTIMATOR = "(estimator)"
# Attributes that nobody has documented: any object takes them, as in the original.
_FREE_ATTRIBUTES = ("Run.diplay_name",)


@dataclass(frozen=True, slots=True)
class Used:
    """A name in scope: how it is used, in how many scripts and notebooks, and in how many of them that run a sweep."""

    name: str
    use: str
    units: int
    in_sweeps: int

    @property
    def feature(self) -> Feature:
        """What becomes of it."""
        return feature_of(self.name)


@functools.cache
def used_features() -> tuple[Used, ...]:
    """All names in scope of the frequency tables, most frequent first."""
    return tuple(Used(**one) for one in _counts()["features"])


@functools.cache
def used_keywords() -> tuple[tuple[str, str, int], ...]:
    """(name called, keyword, how often) for every keyword that was counted."""
    return tuple(
        (name, keyword, count) for name, found in _counts()["keywords"].items() for keyword, count in found.items()
    )


def keyword_works(name: str, keyword: str) -> bool:
    """Whether a call takes this keyword without refusing."""
    known = table()
    for owner, member in _candidates(name):
        parameters = known.parameters(owner, member)
        if parameters is not None and (keyword in parameters or "**" in parameters):
            return known.of(owner, member, keyword).status is not Status.REFUSED
    return False


def feature_of(name: str) -> Feature:
    """The feature behind a counted name; KeyError when the table does not know it."""
    known = table()
    if name in _FREE_ATTRIBUTES:
        return Feature(name, Status.WORKS)
    for owner, member in _candidates(name):
        if owner in known.owners and (member == "()" or known.has(owner, member)):
            found = known.of(owner, member)
            return Feature(name, found.status, found.how)
    raise KeyError(name)


def _candidates(name: str) -> Iterator[tuple[str, str]]:
    name = name.removesuffix(_CALLED_ESTIMATOR)
    known: Table = table()
    if name in known.owners:
        yield name, "()"
    owner, _, member = name.rpartition(".")
    for candidate in _CLASSES.get(owner, (owner,)):
        yield candidate, member


@functools.cache
def _counts() -> dict[str, Any]:
    counts: dict[str, Any] = json.loads(Path(__file__).with_name("usage.json").read_text())
    return counts
