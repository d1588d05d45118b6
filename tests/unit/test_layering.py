"""The import direction drawn in ARCHITECTURE.md, checked on every run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "sublight"
SOURCE = Path(__file__).parents[2] / "src" / PACKAGE

# Each part may import itself and the parts named here; nothing else of ours.
MAY_IMPORT: dict[str, set[str]] = {
    "core": set(),
    "messages": {"core"},
    "host": {"core"},
    "store": {"core"},
    "engines": {"core", "messages", "host"},
    "sdk": {"messages", "core"},
    "node": {"messages", "core", "host"},
    "server": {"store", "messages", "core"},
    "portal": {"server", "messages", "core"},
    "cli": {"sdk", "messages", "core", "wiring"},
    "wiring": {"node", "engines", "portal", "server", "store", "messages", "core", "host"},
    "__main__": {"cli", "wiring", "core"},
    "__init__": set(),
}


def imported_modules(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full, so that this test sees them"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def wrong_imports(source: Path = SOURCE, package: str = PACKAGE) -> Iterator[str]:
    for file in sorted(source.rglob("*.py")):
        part = file.relative_to(source).parts[0].removesuffix(".py")
        assert part in MAY_IMPORT, f"{part} is a new part: draw it in ARCHITECTURE.md and name it here"
        for module in imported_modules(ast.parse(file.read_text())):
            owner, _, rest = module.partition(".")
            target = rest.partition(".")[0]
            allowed = MAY_IMPORT[part] | {part}
            if owner == package and target in MAY_IMPORT and target not in allowed:
                yield f"{file.relative_to(source)} imports {module}"


def test_imports_follow_the_drawn_direction() -> None:
    assert list(wrong_imports()) == []


def test_the_facade_sees_the_sdk_alone() -> None:
    facade = SOURCE.parents[1] / "azureml_facade" / "src"
    found = [
        f"{file.relative_to(facade)} imports {module}"
        for file in sorted(facade.rglob("*.py"))
        for module in imported_modules(ast.parse(file.read_text()))
        # ``from sublight import Sweep`` reads as sublight.Sweep: a name of the public door, which has no small letter.
        if module.startswith("sublight.")
        and not module.startswith("sublight.sdk.")
        and module.split(".")[1] in MAY_IMPORT
    ]

    assert found == []


def test_a_wrong_import_is_found(tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "bad.py").write_text("from sublight.store import runs\n")

    assert list(wrong_imports(tmp_path)) == ["core/bad.py imports sublight.store.runs"]


def test_the_core_reads_no_clock_and_no_disk() -> None:
    forbidden = {"time", "os", "pathlib", "socket", "subprocess", "asyncio", "sqlalchemy", "httpx"}
    found = [
        f"{file.relative_to(SOURCE)} imports {module}"
        for file in sorted((SOURCE / "core").rglob("*.py"))
        for module in imported_modules(ast.parse(file.read_text()))
        if module.partition(".")[0] in forbidden
    ]

    assert found == []
