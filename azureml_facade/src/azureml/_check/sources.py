"""Scripts and notebooks of a folder as syntax trees, with the places where their lines stand."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

LEFT_OUT = frozenset(
    {
        "__pycache__",
        "node_modules",
        "site-packages",
        "venv",
        "env",
        "build",
        "dist",
        "mlruns",
    }  # and all that begin with a dot
)
# A line of a notebook has its cell's number times this in front, so that one number tells both.
_CELL = 1_000_000
_SKIPPED_CELLS = (
    "bash",
    "cmd",
    "html",
    "javascript",
    "js",
    "latex",
    "markdown",
    "perl",
    "ruby",
    "sh",
    "script",
    "svg",
    "writefile",
)
_MAGIC = re.compile(r"(?P<indent>\s*)(?:[%!?]|.*\w\?{1,2}\s*$)")
_ASSIGNED_MAGIC = re.compile(r"(?P<left>\s*[\w, ]+=\s*)[!%]")
_PRINT = re.compile(
    r"^(?P<indent>\s*(?:(?:else|try|finally|if[^:]*|except[^:]*)\s*:\s*)?)print(?:\s+(?P<what>[^(\s=].*)|\s*(?P<stream>>>.*)|)$"
)
_EXCEPT = re.compile(r"^(\s*except\s+[\w.()\s]+?)\s*,\s*(\w+)\s*:")


@dataclass(slots=True)
class Source:
    """One file. ``trees`` are its parts in order (a script is one, a notebook one for each cell)."""

    path: Path
    trees: list[ast.Module] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)  # (line, sentence)
    text: str = ""
    unclear: list[tuple[int, str]] = field(default_factory=list)  # (line, name) of what may be a use of the SDK v1

    @property
    def is_notebook(self) -> bool:
        """Whether lines are counted within cells."""
        return self.path.suffix == ".ipynb"

    def position(self, line: int) -> dict[str, int]:
        """``{"line": 12}``, and the number of the ``cell`` in a notebook."""
        cell, inside = divmod(line, _CELL)
        return {"cell": cell, "line": inside} if cell else {"line": inside}

    def place(self, line: int) -> str:
        """``12``, or ``cell 3, line 12`` in a notebook."""
        cell, inside = divmod(line, _CELL)
        return f"cell {cell}, line {inside}" if cell else str(inside)


def python_files(folder: Path) -> Iterator[Path]:
    """The scripts and notebooks of a folder, sorted; a file is taken as it is."""
    if folder.is_file():
        yield folder
        return
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            if path.name not in LEFT_OUT and not path.name.startswith("."):
                yield from python_files(path)
        elif path.suffix in (".py", ".ipynb"):
            yield path


def read(path: Path) -> Source:
    """The file as trees; what cannot be read is named in ``problems``, and the rest is there all the same."""
    source = Source(path)
    try:
        cells = list(_cells(path)) if source.is_notebook else [(0, _text(path, source.problems))]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        source.problems.append((1, f"it cannot be read: {error}"))
        return source
    parts = []
    for number, text in cells:
        clean = without_magics(text) if source.is_notebook else text
        parts.append(clean)
        try:
            tree, problem = _parsed(clean)
        except (SyntaxError, ValueError) as error:
            source.problems.append(_wrong_syntax(number, error))
            continue
        if problem:
            source.problems.append((number * _CELL + problem, "this is Python 2, and runs use Python 3"))
        elif refused := _not_compiled(tree, is_notebook=source.is_notebook):
            source.problems.append(_wrong_syntax(number, refused))
        ast.increment_lineno(tree, number * _CELL)
        source.trees.append(tree)
    source.text = "\n\n".join(parts)
    return source


def _wrong_syntax(cell: int, error: SyntaxError | ValueError) -> tuple[int, str]:
    """The problem that Python names; a zero byte in a text is a ValueError without a line."""
    line = getattr(error, "lineno", None) or 1
    return cell * _CELL + line, f"the syntax is wrong: {getattr(error, 'msg', None) or error}"


def _not_compiled(tree: ast.Module, *, is_notebook: bool) -> SyntaxError | None:
    """What Python refuses only after reading the whole: a ``return`` outside of a function, and the like.

    Cells, and only they, may wait with ``await`` outside of a function.
    """
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if is_notebook else 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(tree, "<script>", "exec", flags=flags, dont_inherit=True)
        except SyntaxError as error:
            return error
    return None


def without_magics(text: str) -> str:
    """A cell without what only a notebook understands; lines keep their numbers.

    A script that a cell writes (``%%writefile train.py``) is Python like any other, and often where a run's own calls are.
    """
    lines = text.splitlines()
    first = next((line for line in lines if line.strip()), "")
    if first.startswith("%%writefile") and first.rstrip().strip("'\"").endswith(".py"):
        return "\n".join("" if line is first else line for line in lines)
    if first.startswith("%%") and first[2:].split()[:1] and first[2:].split()[0] in _SKIPPED_CELLS:
        return "\n" * max(0, len(lines) - 1)
    kept = []
    goes_on = False
    for line in lines:
        if goes_on:
            kept.append("")
            goes_on = line.rstrip().endswith("\\")
        elif match := _ASSIGNED_MAGIC.match(line):
            kept.append(f"{match['left']}None")
            goes_on = line.rstrip().endswith("\\")
        elif (match := _MAGIC.match(line)) and not line.lstrip().startswith("#"):
            kept.append(f"{match['indent']}pass")
            goes_on = line.rstrip().endswith("\\")
        else:
            kept.append(line)
    return "\n".join(kept)


def _cells(path: Path) -> Iterator[tuple[int, str]]:
    """(number from 1, text) of the code cells; numbers count all cells, as a notebook shows them."""
    notebook = json.loads(path.read_text(encoding="utf-8-sig"))
    cells = (
        notebook["cells"]
        if "cells" in notebook
        else [cell for sheet in notebook["worksheets"] for cell in sheet["cells"]]
    )
    for number, cell in enumerate(cells, 1):
        if cell["cell_type"] == "code":
            text = cell.get("source", cell.get("input", ""))
            yield number, text if isinstance(text, str) else "".join(text)


def _text(path: Path, problems: list[tuple[int, str]]) -> str:
    """The text of a script; when Python would not decode it, that is a problem, and it is read as latin-1."""
    content = path.read_bytes()
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    except SyntaxError as error:
        problems.append((1, f"Python cannot decode it: {error.msg}"))
        return content.decode("latin-1")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problems.append((line, f"Python cannot decode it: the text is not {encoding}; save it as UTF-8"))
        return content.decode("latin-1")


def _parsed(text: str) -> tuple[ast.Module, int]:
    """The tree, and the first line that only Python 2 understands (0: there is none)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a script's own text warns of is not ours to say
        try:
            return ast.parse(text), 0
        except SyntaxError as error:
            changed, first = _as_python_3(text)
            if not first:
                raise
            try:
                return ast.parse(changed), first
            except SyntaxError:
                raise error from None


def _as_python_3(text: str) -> tuple[str, int]:
    lines = text.expandtabs(8).splitlines()
    first = 0
    for index, line in enumerate(lines):
        changed = _EXCEPT.sub(r"\1 as \2:", line)
        match = _PRINT.match(changed)
        if match is not None and (match["what"] or match["stream"]):
            changed = f"{match['indent']}print({(match['what'] or '').rstrip().rstrip(',')})"
        if changed != line and not first:
            first = index + 1
        lines[index] = changed
    return "\n".join(lines), first
