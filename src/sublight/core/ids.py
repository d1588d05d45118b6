"""The names of runs, sweeps, trials and nodes: short enough to type, unique enough to keep."""

from __future__ import annotations

import re
from collections.abc import Callable

_LETTERS = "abcdefghjkmnpqrstvwxyz23456789"  # nothing that looks like something else


def random_part(length: int, choose: Callable[[str], str]) -> str:
    """``length`` random letters and digits; ``choose`` picks one of a text (``secrets.choice``)."""
    return "".join(choose(_LETTERS) for _ in range(length))


def slug(text: str, *, length_max: int = 24) -> str:
    """Lower-case letters, digits and single hyphens of ``text``, at most ``length_max`` of them."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:length_max].strip("-") or "run"


def trial_id(sweep_id: str, index: int) -> str:
    """The id of a sweep's trial; indexes count from 0."""
    return f"{sweep_id}-{index}"
