"""Which files of a source folder stay out of its snapshot: the rules of a ``.gitignore``, as git reads them.

A pattern without a slash matches a name in any folder below; one with a slash (not at its end) is anchored at the
folder of its file. A slash at the end asks for a folder. ``**`` spans folders, ``!`` takes back, the last matching
pattern decides, and nothing inside a left-out folder can be taken back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_NEVER = re.compile(r"(?!)")
_POSIX_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": " \\t",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": "\\s",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}


@dataclass(frozen=True, slots=True)
class IgnorePattern:
    """One line of an ignore file."""

    regex: re.Pattern[str]
    is_negated: bool
    is_for_folders: bool
    is_for_names: bool

    def matches(self, path: str, *, is_folder: bool) -> bool:
        """True when the pattern speaks about ``path``, which is relative to the folder of the pattern's file."""
        if self.is_for_folders and not is_folder:
            return False
        subject = path.rpartition("/")[2] if self.is_for_names else path
        return self.regex.fullmatch(subject) is not None


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The patterns of one ignore file that lies in ``folder`` (relative to the source folder, "" for itself)."""

    patterns: tuple[IgnorePattern, ...]
    folder: str = ""

    @classmethod
    def parse(cls, text: str, folder: str = "") -> IgnoreRules:
        """Read the text of an ignore file; a line that git would not understand never matches."""
        lines = text.removeprefix("\ufeff").split("\n")
        parsed = (_parse_line(line.removesuffix("\r")) for line in lines)
        return cls(tuple(pattern for pattern in parsed if pattern is not None), folder)

    def verdict(self, path: str, *, is_folder: bool) -> bool | None:
        """True: left out; False: taken back; None: these rules say nothing about ``path``."""
        if self.folder:
            if not path.startswith(self.folder + "/"):
                return None
            path = path[len(self.folder) + 1 :]
        for pattern in reversed(self.patterns):
            if pattern.matches(path, is_folder=is_folder):
                return not pattern.is_negated
        return None


def is_ignored(rules: Sequence[IgnoreRules], path: str, *, is_folder: bool) -> bool:
    """Whether ``path`` is left out; later rules (deeper folders) win over earlier ones.

    The caller walks from the top and does not enter a left-out folder: that is why its content cannot be taken back.
    """
    for layer in reversed(rules):
        verdict = layer.verdict(path, is_folder=is_folder)
        if verdict is not None:
            return verdict
    return False


def _parse_line(line: str) -> IgnorePattern | None:
    if not line or line.startswith("#"):
        return None
    text = _without_trailing_spaces(line)
    is_negated = text.startswith("!")
    if is_negated:
        text = text[1:]
    is_for_folders = text.endswith("/")
    if is_for_folders:
        text = text[:-1]
    if not text:
        return None
    is_for_names = "/" not in text
    return IgnorePattern(_compile(text.removeprefix("/")), is_negated, is_for_folders, is_for_names)


def _without_trailing_spaces(line: str) -> str:
    """Drop spaces at the end; one that a backslash protects stays (the backslash is read later)."""
    bare = line.rstrip(" ")
    backslashes = len(bare) - len(bare.rstrip("\\"))
    return line[: len(bare) + 1] if backslashes % 2 == 1 and len(bare) < len(line) else bare


def _compile(glob: str) -> re.Pattern[str]:
    pieces: list[str] = []
    position = 0
    while position < len(glob):
        piece, position = _next_piece(glob, position)
        if piece is None:
            return _NEVER
        pieces.append(piece)
    return re.compile("".join(pieces), re.DOTALL)


def _next_piece(glob: str, position: int) -> tuple[str | None, int]:
    """The regular expression of what stands at ``position``, and where to go on; None when git would give up."""
    character = glob[position]
    if character == "*":
        return _stars(glob, position)
    if character == "?":
        return "[^/]", position + 1
    if character == "[":
        return _character_class(glob, position + 1)
    if character == "\\":
        if position + 1 == len(glob):
            return None, position
        return re.escape(glob[position + 1]), position + 2
    return re.escape(character), position + 1


def _stars(glob: str, position: int) -> tuple[str, int]:
    """One star stays within a name; two or more between slashes (or at an end) span any number of folders."""
    end = position
    while end < len(glob) and glob[end] == "*":
        end += 1
    stands_alone = (position == 0 or glob[position - 1] == "/") and (end == len(glob) or glob[end] == "/")
    if end - position == 1 or not stands_alone:
        return "[^/]*", end
    if end == len(glob):
        return ".*", end
    return "(?:.*/)?", end + 1


def _character_class(glob: str, position: int) -> tuple[str | None, int]:
    """``[a-z]`` and kin, from behind the opening bracket; never matches a slash."""
    is_negated = glob[position : position + 1] in ("!", "^")
    if is_negated:
        position += 1
    members: list[str] = []
    previous: str | None = None
    is_first = True
    while True:
        if position >= len(glob):
            return None, position
        character = glob[position]
        if character == "]" and not is_first:
            break
        is_first = False
        if character == "-" and previous is not None and glob[position + 1 : position + 2] not in ("", "]"):
            upper, position = _class_character(glob, position + 1)
            if upper is None:
                return None, position
            if previous <= upper:
                members.append(f"{re.escape(previous)}-{re.escape(upper)}")
            previous = None
            continue
        if character == "[" and glob[position + 1 : position + 2] == ":":
            closing = glob.find("]", position + 2)
            if closing < 0:
                return None, position
            if glob[closing - 1] == ":" and closing - 1 > position + 1:
                name = glob[position + 2 : closing - 1]
                if name not in _POSIX_CLASSES:
                    return None, position
                members.append(_POSIX_CLASSES[name])
                previous, position = None, closing + 1
                continue
        previous, position = _class_character(glob, position)
        if previous is None:
            return None, position
        members.append(re.escape(previous))
    if not members:
        return ("[^/]" if is_negated else "(?!)"), position + 1
    return f"(?!/)[{'^' if is_negated else ''}{''.join(members)}]", position + 1


def _class_character(glob: str, position: int) -> tuple[str | None, int]:
    """A character inside a class, with its backslash undone."""
    if glob[position] != "\\":
        return glob[position], position + 1
    if position + 1 >= len(glob):
        return None, position
    return glob[position + 1], position + 2
