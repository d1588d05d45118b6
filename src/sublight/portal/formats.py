"""How values are written for people: numbers with sensible digits, durations in words, sizes, times, statuses.

Every function returns plain text (or Markup that it escaped itself), so that templates never mark anything as safe.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

from sublight.messages.runs import RunView

NOTHING = "–"
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

STATUS_WORDS = {
    "created": "not queued yet",
    "queued": "waiting",
    "preparing": "preparing",
    "running": "running",
    "finishing": "finishing",
    "stopping": "stopping",
    "completed": "completed",
    "failed": "failed",
    "canceled": "canceled",
    "lost": "node lost",
}
END_WORDS = {
    "finished": "finished by itself",
    "user": "canceled by a person",
    "policy": "ended early by the policy",
    "timeout": "time limit reached",
    "node_lost": "its node was lost",
    "error": "error",
}


def number(value: object) -> str:
    """A number with four significant digits; whole numbers with thin groups; text and None stay readable."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u202f")
    if isinstance(value, float):
        return _float(value)
    return str(value)


def _float(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    size = abs(value)
    if size < 1e-3 or size >= 1e6:
        mantissa, _, exponent = f"{value:.3e}".partition("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    decimals = max(0, 3 - math.floor(math.log10(size)))
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def duration(seconds: float | None) -> str:
    """A duration in words: ``0.4 s``, ``43 s``, ``2 min 5 s``, ``1 h 12 min``, ``3 d 4 h``."""
    if seconds is None:
        return NOTHING
    if seconds < 0:
        seconds = 0.0
    if seconds < 9.95:
        return f"{seconds:.1f} s" if seconds else "0 s"
    whole = round(seconds)
    for unit, size, small, small_size in (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if whole >= size:
            rest = whole % size // small_size
            return f"{whole // size} {unit} {rest} {small}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def size(size_bytes: float | None) -> str:
    """A number of bytes in kB, MB, GB (powers of 1000)."""
    if size_bytes is None:
        return NOTHING
    value = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5 or (unit == "B" and value < 1000):
            return f"{value:.0f} B" if unit == "B" else f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:,.1f} TB"


def memory(size_bytes: float) -> str:
    """Memory of a machine in GiB, as sizes are sold."""
    return f"{size_bytes / 2**30:.3g} GiB"


def price(amount: float | None) -> str:
    """A price with two decimals, or more when it would read 0.00."""
    if amount is None:
        return NOTHING
    return f"{amount:.2f}" if amount == 0 or amount >= 0.095 else f"{amount:.4f}"


def moment(seconds: float | None) -> Markup | str:
    """A ``<time>`` element; the browser's script rewrites its text in the viewer's zone."""
    if seconds is None:
        return NOTHING
    at = datetime.fromtimestamp(seconds, UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), at.strftime("%Y-%m-%d %H:%M:%S UTC")
    )


def elapsed(started: float | None, ended: float | None, now: float) -> Markup | str:
    """The time from start to end in words; while it goes on, the browser's script counts on."""
    if started is None:
        return NOTHING
    if ended is not None:
        return duration(ended - started)
    return Markup('<span data-since="{}">{}</span>').format(f"{started:.3f}", duration(now - started))


def status_word(run: RunView) -> str:
    """What the status pill of a run says; a run that the policy ended did not fail and was not canceled by anyone."""
    if run.status == "canceled" and run.end_reason == "policy":
        return "ended early"
    if run.end_reason == "timeout" and run.status in ("canceled", "failed"):
        return "time limit"
    return STATUS_WORDS.get(run.status, run.status)


def status_class(run: RunView) -> str:
    """The family of the status, for colour and sign: waiting, active, good, early, bad or off."""
    if run.status in ("created", "queued"):
        return "waiting"
    if run.status == "completed":
        return "good"
    if run.status in ("failed", "lost"):
        return "bad"
    if run.status == "canceled":
        return "early" if run.end_reason == "policy" else "off"
    return "active"


def end_word(end_reason: str | None) -> str:
    """Why a run ended, in words; empty while it has not."""
    return END_WORDS.get(end_reason or "", end_reason or "")


def value(anything: object) -> str:
    """A parameter or a cell of a table: numbers shortened, text as it is, anything else as JSON."""
    if isinstance(anything, bool | int | float) or anything is None:
        return number(anything)
    if isinstance(anything, str):
        return anything
    return json_text(anything, indent=None)


def parameters(values: Mapping[str, Any]) -> str:
    """Parameters on one line: ``learning_rate=0.01 hidden_size=100``."""
    return "  ".join(f"{name}={value(item)}" for name, item in values.items())


def json_text(anything: object, indent: int | None = 2, characters_max: int = 20_000) -> str:
    """Plain data as readable JSON, cut (and saying so) when it is very long."""
    text = json.dumps(anything, indent=indent, ensure_ascii=False, default=str)
    return text if len(text) <= characters_max else f"{text[:characters_max]}\n… ({len(text):,} characters in all)"


def log_text(data: bytes) -> str:
    """Bytes of a log as text a person can read: no colour codes, and a progress bar shows its last state only."""
    text = _ANSI.sub("", data.decode("utf-8", errors="replace")).replace("\r\n", "\n")
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return _CONTROL.sub("", "\n".join(lines))


def shell_word(text: str) -> str:
    """One word for a command line shown to people, quoted when a shell would read it differently."""
    if text and re.fullmatch(r"[\w@%+=:,./-]+", text):
        return text
    return "'" + text.replace("'", "'\"'\"'") + "'"
