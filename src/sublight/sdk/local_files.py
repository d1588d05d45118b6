"""Files and folders of this machine that are to be stored in a workspace."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from sublight.core.errors import InvalidInput


def local_files(files: Mapping[str, str | Path]) -> dict[str, Path]:
    """Each path in the workspace with its file on this machine; folders are unfolded.

    ``files`` maps a path to a file or folder; a folder's files get their path below it, with ``""`` at the top.
    InvalidInput for what is not there, holds nothing, cannot be sent, or would come twice.
    """
    found: dict[str, Path] = {}
    for path, given in files.items():
        place = Path(given).expanduser()
        base = path.strip("/").removeprefix("./") if path != "." else ""
        if place.is_dir():
            inside = {f"{base}/{below}" if base else below: file for below, file in _files_below(place)}
            if not inside:
                raise InvalidInput(f"the folder {place} holds no files")
        elif place.is_file():
            if not base:
                raise InvalidInput(f"{place} is a file and needs a name in the workspace, got {path!r}")
            inside = {base: place}
        else:
            raise InvalidInput(f"there is no file or folder {place}")
        twice = sorted(set(inside) & set(found))
        if twice:
            raise InvalidInput(f"{twice[0]!r} would come from both {found[twice[0]]} and {inside[twice[0]]}")
        found |= inside
    return found


def _files_below(folder: Path) -> Iterator[tuple[str, Path]]:
    """All files below a folder; a link counts as the file that it leads to."""
    for parent, folders, names in os.walk(folder):
        for name in folders:
            if (Path(parent) / name).is_symlink():
                raise InvalidInput(f"{Path(parent) / name} is a link to a folder; name that folder itself, or copy it")
        for name in names:
            file = Path(parent) / name
            if not file.is_file():
                raise InvalidInput(f"{file} is no plain file (a pipe, socket or broken link); remove it")
            yield file.relative_to(folder).as_posix(), file
