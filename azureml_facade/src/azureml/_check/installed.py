"""Modules that a source imports and that are not installed in this Python, which is the one that runs use."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from azureml._check.sources import Source
from azureml._node.compat.tables import MODULES

# The names under which pip knows modules that are called otherwise.
_PACKAGES = {
    "Crypto": "pycryptodome",
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "skopt": "scikit-optimize",
    "yaml": "pyyaml",
}
_MISSING = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


def not_installed(source: Source, root: Path) -> list[tuple[int, str]]:
    """(line, module) of the first import of each; a module of the folder itself, or one that may be missing, is none."""
    found: dict[str, int] = {}
    for tree in source.trees:
        for line, module in _imports(tree):
            if module not in found and not _is_there(module, source.path, root):
                found[module] = line
    return [(line, module) for module, line in found.items()]


def package_of(module: str) -> str:
    """What to give ``pip install`` for a module."""
    return _PACKAGES.get(module, module)


def _imports(node: ast.AST) -> Iterator[tuple[int, str]]:
    """The outermost names of what must be there; imports whose failure is caught may fail."""
    if isinstance(node, ast.Import):
        yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        if not node.level and node.module:
            yield node.lineno, node.module.partition(".")[0]
    else:
        may_fail: list[ast.stmt] = []
        if isinstance(node, ast.Try) and any(_catches(handler.type) for handler in node.handlers):
            may_fail = node.body
        for child in ast.iter_child_nodes(node):
            if child not in may_fail:
                yield from _imports(child)


def _catches(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(_catches(one) for one in caught.elts)
    return caught is None or (isinstance(caught, ast.Name) and caught.id in _MISSING)


def _is_there(module: str, path: Path, root: Path) -> bool:
    if any((folder / module).is_dir() or (folder / f"{module}.py").is_file() for folder in (path.parent, root)):
        return True
    if module in MODULES:
        return True  # gone, and put back in runs
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False
