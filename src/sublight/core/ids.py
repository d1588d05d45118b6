"""The names of runs, sweeps, trials and nodes: short enough to type, unique enough to keep.

An id that a submitter chose is at most 56 characters long, so that the ids of its trials and children fit into 64.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sublight.core.errors import InvalidInput

OWN_ID_LENGTH_MAX = 56
ID_LENGTH_MAX = 64
_OWN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_TRIAL_ID = re.compile(r"(.+)[-_][0-9]+")

_LETTERS = "abcdefghjkmnpqrstvwxyz23456789"  # nothing that looks like something else


def random_part(length: int, choose: Callable[[str], str]) -> str:
    """``length`` random letters and digits; ``choose`` picks one of a text (``secrets.choice``)."""
    return "".join(choose(_LETTERS) for _ in range(length))


def slug(text: str, *, length_max: int = 24) -> str:
    """Lower-case letters, digits and single hyphens of ``text``, at most ``length_max`` of them."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:length_max].strip("-") or "run"


def trial_id(sweep_id: str, index: int) -> str:
    """The id of a sweep's trial; indexes count from 0."""
    return child_id(sweep_id, str(index))


def child_id(run_id: str, local: str) -> str:
    """The id of a run below another one: joined by ``_`` when the upper id has one itself, else by ``-``."""
    return f"{run_id}{separator_of(run_id)}{local}"


def separator_of(run_id: str) -> str:
    """What stands between a run's id and the rest of its children's ids."""
    return "_" if "_" in run_id else "-"


def check_own_id(run_id: str) -> None:
    """Raise InvalidInput when ``run_id`` cannot be an id that a submitter gives to a run."""
    if len(run_id) > OWN_ID_LENGTH_MAX or not _OWN_ID.fullmatch(run_id):
        raise InvalidInput(
            f"a run's id must have 1 to {OWN_ID_LENGTH_MAX} letters, digits, '_', '.' and '-' and begin with a letter "
            f"or digit, got {run_id[:80]!r}"
        )


def sweep_of_trial_id(run_id: str) -> str | None:
    """The id of the sweep that could have a trial of this id, whether or not there is one; None for other ids."""
    found = _TRIAL_ID.fullmatch(run_id)
    return found.group(1) if found and trial_id(found.group(1), 0)[:-1] == run_id[: found.end(1) + 1] else None
