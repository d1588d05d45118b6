"""Placing copies of files under the run's ``uploads/``, from where the node's agent ships them.

A file appears there whole or not at all: it is written in ``staging/`` beside ``uploads/`` and then moved. Runs inside
the user's script: standard library only, from Python 3.8.
"""

from __future__ import annotations

import os
import stat

from sublight.sdk.journal import UPLOADS_FOLDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

STAGING_FOLDER = "staging"
# The node and the server take paths of 1,024 bytes; the folder of a child run may come before the name.
UPLOAD_NAME_BYTES_MAX = 1000
_PART_BYTES_MAX = 255

_COPY_BYTES = 1024 * 1024
_IMAGE_STEM_CHARACTERS_MAX = 60


class NotStaged(Exception):
    """The run's folder did not take a file (disk full, gone, not writable); ``__cause__`` is the OSError."""


def checked_upload_name(name: object) -> str:
    """``name`` when it can name a file of a run: a relative path with forward slashes that stays inside."""
    if not isinstance(name, str):
        raise TypeError(f"the name of an upload must be text, got {type(name).__name__}")
    encoded = name.encode("utf-8", "replace")
    parts = encoded.split(b"/")
    has_control = any(ord(character) < 32 or 127 <= ord(character) < 160 for character in name)
    if (
        any(part in (b"", b".", b"..") or len(part) > _PART_BYTES_MAX for part in parts)
        or any(0xD800 <= ord(character) < 0xE000 for character in name)  # of a file name that is not UTF-8
        or (name[:1].isalpha() and name[1:3] in (":", ":/"))
        or "\\" in name
        or has_control
        or len(encoded) > UPLOAD_NAME_BYTES_MAX
    ):
        raise ValueError(
            f"the name of an upload must be a relative path like 'reports/summary.txt', without '..', backslashes and "
            f"control characters, of at most {UPLOAD_NAME_BYTES_MAX} bytes, got {name[:80]!r}"
        )
    return name


def open_source(path: str) -> BinaryIO:
    """The file to copy, open for reading; ValueError for links, folders and devices, OSError for missing ones.

    Links are refused and not followed: what is kept must be what the name in the script says.
    """
    if os.path.islink(path):
        raise ValueError(f"only regular files can be kept, but {path!r} is a link; give the path that it points to")
    # Without O_NONBLOCK, opening a named pipe would wait for somebody to write into it.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ValueError(f"only regular files can be kept, but {path!r} is none; use run.upload_folder for a folder")
    return os.fdopen(descriptor, "rb")


def files_below(folder: str) -> list[str]:
    """The files in ``folder`` and below, relative with forward slashes, in order; ValueError for links and devices."""
    if os.path.islink(folder) or not os.path.isdir(folder):
        raise ValueError(f"upload_folder needs a folder that is no link, got {folder!r}")
    return sorted(_walk(folder, ""))


def stage_copy(directory: str, name: str, source: BinaryIO) -> None:
    """Copy ``source`` to ``uploads/<name>``; a file of that name is replaced."""

    def move(written: str) -> None:
        target = os.path.join(directory, UPLOADS_FOLDER, *name.split("/"))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.replace(written, target)

    _stage(directory, copier_of(source), move)


def copier_of(source: BinaryIO) -> Callable[[str], None]:
    """A function that writes all of ``source`` to the path it is given."""

    def copy(target: str) -> None:
        with open(target, "wb") as writer:
            while True:
                block = source.read(_COPY_BYTES)
                if not block:
                    return
                writer.write(block)

    return copy


def stage_image(directory: str, folder: str, name: str, suffix: str, write: Callable[[str], None]) -> str:
    """Keep what ``write(path)`` writes as ``uploads/<folder>/<safe name>[_n]<suffix>``; return the path below uploads.

    The number is the first free one, also when several processes log images of one name at the same time.
    """
    stem = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name)
    stem = stem[:_IMAGE_STEM_CHARACTERS_MAX].lstrip(".") or "image"
    kept = ""

    def move(written: str) -> None:
        nonlocal kept
        os.makedirs(os.path.join(directory, UPLOADS_FOLDER, *folder.split("/")), exist_ok=True)
        number = 0
        while True:
            kept = f"{folder}/{stem}{f'_{number}' if number else ''}{suffix}"
            if _move_if_free(written, os.path.join(directory, UPLOADS_FOLDER, *kept.split("/"))):
                return
            number += 1

    _stage(directory, write, move)
    return kept


def _stage(directory: str, write: Callable[[str], None], move: Callable[[str], None]) -> None:
    try:
        staging = os.path.join(directory, STAGING_FOLDER)
        os.makedirs(staging, exist_ok=True)
        written = os.path.join(staging, os.urandom(8).hex())
        try:
            write(written)
            move(written)
        finally:
            if os.path.lexists(written):
                os.unlink(written)
    except OSError as error:
        raise NotStaged from error


def _move_if_free(written: str, target: str) -> bool:
    """Give ``written`` the name ``target`` unless that is taken; a hard link decides between two processes."""
    try:
        os.link(written, target)
    except FileExistsError:
        return False
    except OSError:
        # A file system without hard links: two processes could take the same name here.
        if os.path.lexists(target):
            return False
        os.replace(written, target)
    return True


def _walk(folder: str, below: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            path = f"{below}{entry.name}"
            if entry.is_symlink():
                raise ValueError(f"upload_folder keeps no links, but {entry.path!r} is one; remove it")
            if entry.is_dir():
                yield from _walk(entry.path, f"{path}/")
            elif entry.is_file():
                yield path
            else:
                raise ValueError(f"upload_folder keeps regular files, but {entry.path!r} is none; remove it")
