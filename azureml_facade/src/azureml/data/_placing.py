"""Putting the files of a dataset into a folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from azureml.data._sources import SourceFile
from azureml.exceptions import UserErrorException


def copy_into(files: Iterable[SourceFile], folder: Path, *, overwrites: bool) -> list[str]:
    """Copy each file to its place in ``folder``; the paths of the copies. UserErrorException for one that is there."""
    copies = []
    for file in files:
        target = place_of(file, folder)
        if target.exists() and not overwrites:
            raise UserErrorException(f"{target} exists already; pass overwrite=True to replace it")
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.copyfile(file.local, part)  # not its permissions: the cache's files may not be written to, a copy may
        os.replace(part, target)
        copies.append(str(target))
    return copies


def link_into(files: Iterable[SourceFile], folder: Path) -> list[Path]:
    """Show each file at its place in ``folder`` for reading: as a link where the system has links, else as a copy.

    What is there already stays; returned are the places that were filled.
    """
    placed = []
    for file in files:
        target = place_of(file, folder)
        if target.exists() or target.is_symlink():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.symlink_to(file.local.resolve())
        except OSError:
            shutil.copyfile(file.local, target)
        placed.append(target)
    return placed


def place_of(file: SourceFile, folder: Path) -> Path:
    """Where the file belongs below ``folder``."""
    target = folder.joinpath(*[part for part in file.shown.split("/") if part])
    if ".." in file.shown.split("/"):
        raise UserErrorException(f"the dataset holds a file that points out of its folder: {file.shown}")
    return target
