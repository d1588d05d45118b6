"""Patterns in paths as v1 knew them: ``*`` within a folder, ``**`` through folders, ``?`` one character."""

from __future__ import annotations

import re
from functools import lru_cache

_MAGIC = re.compile(r"[*?\[]")


def has_pattern(path: str) -> bool:
    """True when ``path`` names files by a pattern."""
    return _MAGIC.search(path) is not None


def literal_folder(path: str) -> str:
    """The folders before the first part with a pattern, without a closing slash (``a/b/*.csv`` -> ``a/b``)."""
    parts = []
    for part in path.split("/")[:-1]:
        if has_pattern(part):
            break
        parts.append(part)
    return "/".join(parts)


def matches(path: str, pattern: str) -> bool:
    """True when ``path`` is one of the files that ``pattern`` names; without a pattern: that file, or below that folder."""
    if not has_pattern(pattern):
        folder = pattern.rstrip("/")
        return not folder or path == folder or path.startswith(folder + "/")
    return _expression(pattern).fullmatch(path) is not None


@lru_cache(maxsize=256)
def _expression(pattern: str) -> re.Pattern[str]:
    written = []
    at = 0
    while at < len(pattern):
        if pattern.startswith("**/", at):
            written.append("(?:.*/)?")
            at += 3
        elif pattern.startswith("**", at):
            written.append(".*")
            at += 2
        elif pattern[at] == "*":
            written.append("[^/]*")
            at += 1
        elif pattern[at] == "?":
            written.append("[^/]")
            at += 1
        else:
            written.append(re.escape(pattern[at]))
            at += 1
    return re.compile("".join(written))
