"""Small files for the tests of datasets."""

from __future__ import annotations

import textwrap
from pathlib import Path

BANK = """
    age,job,default,y,balance,since
    30,admin.,no,yes,1.5,2020-01-05
    41,,yes,no,2,2020-02-05
    52,technician,no,no,,2020-03-05
"""


def write(path: Path, text: str) -> Path:
    """The file, with the common indentation of ``text`` taken away."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text).lstrip("\n"))
    return path
