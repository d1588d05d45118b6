"""The journal: the append-only file in which a running script notes metrics and events.

One record a line, UTF-8, ended by a newline, fields separated by tabs; a line that does not end in a newline is not
complete yet. Scalars, by far the most frequent, are cheap to write and to read:

``m<TAB>name<TAB>step<TAB>value<TAB>time``
    a scalar metric. ``name`` is escaped (``\\``, tab, newline, carriage return as ``\\\\``, ``\\t``, ``\\n``, ``\\r``);
    ``step`` a whole number, or empty: then it is the count of that metric's reports before; ``value`` is Python's
    ``repr`` of the float (``nan``, ``inf`` and ``-inf`` as such); ``time`` seconds since 1970.
``r<TAB>json``
    anything else: ``{"kind", "name", "step", "time", "content"}``. Kinds: ``list``, ``row``, ``table``, ``image``,
    ``confusion_matrix``, ``accuracy_table``, ``residuals``, ``predictions`` (see RecordView); ``tag`` (name, content is
    text), ``property``; ``artifact`` (content {"path"}: a file staged under ``uploads/``); ``child`` (content {"child":
    local id, "name"}) starts a child run and ``child_end`` ({"child", "status"}) ends it; ``fail`` ({"message"}).
    A record or scalar of a child carries its local id: ``"child": id`` here, and ``c<TAB>id<TAB>m<TAB>…`` for scalars.

Environment variables by which a script finds its run (set by the executor):

- ``SUBLIGHT_RUN_ID``, ``SUBLIGHT_ATTEMPT``, ``SUBLIGHT_EXPERIMENT``, ``SUBLIGHT_PARENT_RUN_ID`` (trials only)
- ``SUBLIGHT_RUN_DIRECTORY``: the attempt's own folder: ``journal`` (the file), ``uploads/`` (staged artifacts),
  ``work/`` (the unpacked snapshot, the working directory, with ``outputs/`` and ``logs/`` made before the start),
  ``annotations.json`` (what the submitter kept with the definition, if anything)
- ``SUBLIGHT_URL`` and ``SUBLIGHT_TOKEN``, where the definition asks for access to the workspace: the server and a token
  that is good while the attempt is open
"""

from __future__ import annotations

import math
from dataclasses import dataclass

RUN_ID_VARIABLE = "SUBLIGHT_RUN_ID"
ATTEMPT_VARIABLE = "SUBLIGHT_ATTEMPT"
EXPERIMENT_VARIABLE = "SUBLIGHT_EXPERIMENT"
PARENT_RUN_ID_VARIABLE = "SUBLIGHT_PARENT_RUN_ID"
RUN_DIRECTORY_VARIABLE = "SUBLIGHT_RUN_DIRECTORY"
URL_VARIABLE = "SUBLIGHT_URL"
TOKEN_VARIABLE = "SUBLIGHT_TOKEN"

JOURNAL_FILE = "journal"
UPLOADS_FOLDER = "uploads"
WORK_FOLDER = "work"
ANNOTATIONS_FILE = "annotations.json"
STANDARD_LOG = "user_logs/std_log.txt"
# How the environment of a run was made ready; only there when it has one of its own.
ENVIRONMENT_LOG = "environment_log.txt"


@dataclass(frozen=True, slots=True)
class Scalar:
    """One report of a scalar metric; ``step`` None means "the next one"."""

    child: str | None
    name: str
    step: int | None
    value: float
    time: float


def unescape(text: str) -> str:
    """Undo the escaping of names."""
    if "\\" not in text:
        return text
    return text.replace("\\\\", "\0").replace("\\t", "\t").replace("\\n", "\n").replace("\\r", "\r").replace("\0", "\\")


def is_plain_number(value: float) -> bool:
    """True for numbers that JSON can carry."""
    return math.isfinite(value)
