"""Which files of users the portal shows, and how it keeps them harmless."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

TEXT_SHOWN_BYTES = 512 * 1024
_SIGNATURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}


def is_picture_name(path: str) -> bool:
    """True for names of PNG and JPEG files; SVG is left out on purpose, because it can carry scripts."""
    return path.lower().endswith((".png", ".jpg", ".jpeg"))


def picture_type(path: Path) -> str | None:
    """The media type of a file whose *first bytes* are those of a PNG or JPEG, else None; names prove nothing."""
    with path.open("rb") as file:
        start = file.read(8)
    return next((kind for kind, signature in _SIGNATURES.items() if start.startswith(signature)), None)


def text_of(path: Path) -> tuple[str, bool] | None:
    """The text of a file and whether it was cut, or None when the file is not text."""
    with path.open("rb") as file:
        data = file.read(TEXT_SHOWN_BYTES + 1)
    if b"\0" in data[:8192]:
        return None
    cut = len(data) > TEXT_SHOWN_BYTES
    return data[:TEXT_SHOWN_BYTES].decode("utf-8", errors="replace"), cut


def attachment(path: str) -> str:
    """The Content-Disposition that makes browsers save a file under its own last name and never open it."""
    name = path.rpartition("/")[2] or "file"
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._- ") else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
