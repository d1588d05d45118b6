"""How commands print: tables that fit a terminal and stay whole in a pipe, or JSON."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

# Every escape sequence but colours (``ESC [ … m``), and control characters but tab, newline and carriage return.
_STEERING = re.compile(
    r"\x1b\[(?![0-9;:]*m)[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b(?!\[)."
    r"|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]"
)

# Wide enough that nothing is cut when the output goes to a file or another program.
_PIPE_WIDTH = 1000


def print_json(content: object) -> None:
    """Print a message, or a list of them, as JSON."""
    import msgspec

    print(msgspec.json.format(msgspec.json.encode(content), indent=2).decode())


def console() -> Console:
    """Standard output for people: colours and cutting to the width only where there is a terminal."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    return Console(width=width, highlight=False, markup=False, emoji=False)


def print_table(
    headings: Sequence[str], rows: Iterable[Sequence[str | Text]], *, numbers: Sequence[str] = (), empty: str = ""
) -> None:
    """A plain table; columns named in ``numbers`` are set to the right. ``empty`` says what to do when there is no row."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 3, 0, 0), header_style="bold", pad_edge=False)
    for heading in headings:
        is_number = heading in numbers
        table.add_column(heading, justify="right" if is_number else "left", no_wrap=is_number, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) if isinstance(cell, str) else cell for cell in row))
    if empty and not table.row_count:
        # To people, not to programs: a script that counts lines must not count this one.
        print(empty, file=sys.stderr)
        return
    _print_without_trailing_blanks(table)


def print_facts(facts: Iterable[tuple[str, str | Text]]) -> None:
    """Names and values below each other; empty values are left out."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in facts:
        if value:
            grid.add_row(name, Text(printable(value)) if isinstance(value, str) else value)
    _print_without_trailing_blanks(grid)


def _print_without_trailing_blanks(drawing: object) -> None:
    target = console()
    if target.is_terminal:
        target.print(drawing)
        return
    with target.capture() as captured:
        target.print(drawing)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))


def printable(text: str) -> str:
    """``text`` without control characters: what a run calls itself must not steer the reader's terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


def for_terminal(log: str) -> str:
    """A log without what would steer the reader's terminal; colours, tabs and returns to the line's start stay."""
    return _STEERING.sub("", log)


def ago(moment: float | None, *, now: float | None = None) -> str:
    """``3 min 05 s ago``, or nothing."""
    from sublight.core.amounts import seconds_in_words

    if moment is None:
        return ""
    return f"{seconds_in_words((time.time() if now is None else now) - moment)} ago"


def clock_time(moment: float | None) -> str:
    """A moment as local date and time, or nothing."""
    return "" if moment is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))


def number(value: float | str | None) -> str:
    """A number as people read it, or nothing."""
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def duration(seconds: float | None) -> str:
    """A length of time, or nothing."""
    from sublight.core.amounts import seconds_in_words

    return "" if seconds is None else seconds_in_words(seconds)


def price(amount: float | None) -> str:
    """An amount of money, or nothing."""
    return "" if amount is None else f"{amount:.4f}"
