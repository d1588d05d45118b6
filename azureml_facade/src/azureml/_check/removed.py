"""Finds names of other libraries that are gone since, and that the facade puts back in the runs that it submits.

And MLflow, whose server v1's workspace was.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from azureml._check.inference import Use
from azureml._check.sources import Source
from azureml._features.table import Feature, Status
from azureml._node.compat.tables import MODULES, NAMES

_MLFLOW = (
    "in runs that the facade submits its log_metric, log_param, set_tag and log_artifact report to the run, and its own "
    "files are kept in outputs/mlruns; autolog and MlflowClient write the latter only"
)


def removed_names(source: Source) -> list[Use]:
    """The uses of such names, in the order of their lines."""
    aliases: dict[str, str] = {}
    found = []
    for tree in source.trees:
        aliases.update(_aliases(tree))
        found += list(_uses(tree, aliases))
    return sorted(found, key=lambda use: use.line)


def _aliases(tree: ast.AST) -> dict[str, str]:
    """The modules behind the names that imports give: ``np`` → ``numpy``."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                known[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            known.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return known


def _uses(tree: ast.AST, aliases: dict[str, str]) -> Iterator[Use]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _of_module(node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            is_gone = list(_of_module(node.lineno, node.module))
            yield from is_gone
            for alias in node.names if not is_gone else []:
                yield from _of_module(node.lineno, f"{node.module}.{alias.name}")
                yield from _of_name(node.lineno, node.module, alias.name)
        elif isinstance(node, ast.Attribute) and (module := _module(node.value, aliases)):
            yield from _of_name(node.lineno, module, node.attr)


def _module(node: ast.expr, aliases: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return aliases.get(node.id, "")
    if isinstance(node, ast.Attribute) and (outer := _module(node.value, aliases)):
        return f"{outer}.{node.attr}"
    return ""


def _of_module(line: int, module: str) -> Iterator[Use]:
    if module == "mlflow":
        yield Use(line, Feature("mlflow", Status.DIFFERS, _MLFLOW))
    if module in MODULES:
        yield _use(line, module, MODULES[module][1])


def _of_name(line: int, module: str, name: str) -> Iterator[Use]:
    if name in NAMES.get(module, {}):
        yield _use(line, f"{module}.{name}", NAMES[module][name][1])


def _use(line: int, name: str, dropped_by: str) -> Use:
    how = f"{dropped_by} has dropped it, and it is put back in runs that the facade submits"
    return Use(line, Feature(name, Status.DIFFERS, how))
