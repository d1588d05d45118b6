"""Values that a script writes down and that a submission refuses: several nodes, Spark, a notebook in place of a script."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from azureml._features.table import Feature, Status, Table

_NODES = "several nodes for one run are not supported yet; several processes on one node are"
_NOTEBOOK = "notebooks are not run as scripts; convert it with `jupyter nbconvert --to script`"
_TASKS = "work in tasks runs in one process"


def _is_above_one(value: Any) -> bool:
    return isinstance(value, int) and value > 1


def _is_notebook(value: Any) -> bool:
    return isinstance(value, str) and value.lower().endswith(".ipynb")


def _is_spark(value: Any) -> bool:
    return isinstance(value, str) and value.lower() == "pyspark"


# Class (and what derives from it) → parameter or attribute → (what is refused, why).
_REFUSED: dict[str, dict[str, tuple[Callable[[Any], bool], str]]] = {
    "MpiConfiguration": {"node_count": (_is_above_one, _NODES)},
    "PyTorchConfiguration": {"node_count": (_is_above_one, _NODES)},
    "TensorflowConfiguration": {"worker_count": (_is_above_one, _NODES)},
    "Gloo": {"node_count": (_is_above_one, _NODES)},
    "Nccl": {"node_count": (_is_above_one, _NODES)},
    "ParallelTaskConfiguration": {"worker_count_per_node": (_is_above_one, _TASKS)},
    "MMLBaseEstimator": {"node_count": (_is_above_one, _NODES), "entry_script": (_is_notebook, _NOTEBOOK)},
    "RunConfiguration": {
        "node_count": (_is_above_one, _NODES),
        "script": (_is_notebook, _NOTEBOOK),
        "framework": (_is_spark, "there is no Spark"),
    },
    "ScriptRunConfig": {"script": (_is_notebook, _NOTEBOOK)},
}


def in_call(table: Table, owner: str, call: ast.Call) -> Iterator[Feature]:
    """The literal arguments of a making of ``owner`` that are refused when the run is submitted."""
    names = [one for one in table.parameters(owner) or () if one != "**"]
    given: dict[str, ast.expr] = {}
    for name, value in zip(names, call.args, strict=False):
        if isinstance(value, ast.Starred):
            break
        given[name] = value
    given.update({keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None})
    refused = _of(table, owner)
    for name, written in given.items():
        if name in refused and (why := _why(refused[name], written)):
            yield Feature(f"{owner}({name}={ast.unparse(written)})", Status.REFUSED, why)


def in_assignment(table: Table, owner: str, attribute: str, written: ast.expr | None) -> Feature | None:
    """``config.node_count = 4``: the literal value of an attribute that is refused when the run is submitted."""
    refused = _of(table, owner)
    if written is None or attribute not in refused or not (why := _why(refused[attribute], written)):
        return None
    return Feature(f"{owner}.{attribute} = {ast.unparse(written)}", Status.REFUSED, why)


def _of(table: Table, owner: str) -> Mapping[str, tuple[Callable[[Any], bool], str]]:
    return {name: one for cls in table.lineage(owner) for name, one in _REFUSED.get(cls, {}).items()}


def _why(rule: tuple[Callable[[Any], bool], str], written: ast.expr) -> str:
    is_refused, why = rule
    return why if isinstance(written, ast.Constant) and is_refused(written.value) else ""
