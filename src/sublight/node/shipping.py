"""Append-only files on their way to the server: which bytes go next, by offset.

The server tells how far it has each file, and the next bytes start there. So a report that got lost, or whose answer
got lost, is simply made again; nothing is doubled and nothing left out.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

from sublight.messages.nodes import FileBytes
from sublight.node.outputs import open_plain

CHUNK_BYTES_MAX = 1_000_000
# Longer than any record that the product writes.
LINE_BYTES_MAX = 5_000_000

LOG_HEAD_BYTES = 64 * 1024 * 1024
LOG_TAIL_BYTES = 1024 * 1024
_BEGINNING_BYTES = 64
_ANEW_LINE = b"\n[sublight: the script began this file anew here]\n"


class ShippedFile:
    """One append-only file. ``path`` is its name at the server, ``offset`` how far the server has it."""

    def __init__(self, place: Path, path: str) -> None:
        self._place = place
        self.path = path
        self.offset = 0

    def has_news(self, *, is_closed: bool) -> bool:
        """True when `next_bytes` may have something; costs one look at the file's size.

        ``is_closed`` says that nothing will be written any more.
        """
        return self.length(is_closed=is_closed) > self.offset

    def length(self, *, is_closed: bool) -> int:  # noqa: ARG002  # the kinds below differ by it
        """How many bytes there are to ship, shipped ones included."""
        return self._size()

    def next_bytes(self, bytes_max: int, *, is_closed: bool) -> FileBytes | None:
        """The bytes after ``offset``, at most about ``bytes_max``; None when there are none."""
        data = self._read(min(bytes_max, CHUNK_BYTES_MAX), is_closed=is_closed)
        return FileBytes(path=self.path, offset=self.offset, data=data) if data else None

    def _read(self, bytes_max: int, *, is_closed: bool) -> bytes:  # noqa: ARG002
        return self._read_at(self.offset, bytes_max)

    def _size(self) -> int:
        try:
            return os.stat(self._place, follow_symlinks=False).st_size
        except OSError:
            return 0  # not written yet, or removed by the script

    def _read_at(self, offset: int, bytes_max: int) -> bytes:
        try:
            with open_plain(self._place) as file:
                return os.pread(file.fileno(), bytes_max, offset)
        except OSError as error:
            if error.errno in (errno.EIO, errno.ENOMEM, errno.EMFILE):
                raise  # the machine's trouble, not an absent file
            return b""


class ShippedJournal(ShippedFile):
    """The journal: while the script runs, only whole lines are shipped."""

    def __init__(self, place: Path, path: str, line_bytes_max: int = LINE_BYTES_MAX) -> None:
        super().__init__(place, path)
        self._line_bytes_max = line_bytes_max
        # The file's size when it ended in the middle of a line; reading again makes sense once it has grown.
        self._torn_size = -1
        self.trouble = ""

    def has_news(self, *, is_closed: bool) -> bool:
        return super().has_news(is_closed=is_closed) and (is_closed or self._size() != self._torn_size)

    def length(self, *, is_closed: bool) -> int:  # noqa: ARG002
        return self.offset if self.trouble else self._size()

    def _read(self, bytes_max: int, *, is_closed: bool) -> bytes:
        if self.trouble:
            return b""
        size = self._size()
        data = self._read_at(self.offset, bytes_max)
        if is_closed and self.offset + len(data) >= size:
            return data
        end = data.rfind(b"\n") + 1
        if end == 0 and self.offset + len(data) < size:
            data += self._read_at(self.offset + len(data), self._line_bytes_max - len(data))
            end = data.find(b"\n") + 1
            if end == 0 and len(data) >= self._line_bytes_max:
                self.trouble = (
                    f"the journal holds a line of more than {self._line_bytes_max} bytes, which Sublight did not write; "
                    f"what the script reported from there on was not kept"
                )
                return b""
        if end == 0 and is_closed:
            return data  # the torn last line, longer than a chunk
        if end == 0:
            self._torn_size = size
        return data[:end]


@dataclass(frozen=True)
class _Gone:
    """Bytes that were shipped and cannot be read again; should the server have lost them, it gets empty lines."""

    size_bytes: int


_Part = range | bytes | _Gone


class ShippedLog(ShippedFile):
    """A log, of which a long one is shipped without its middle.

    The first part is shipped as it grows. Where it ends a line says so, and after the run's end come the number of
    bytes left out and the last part. A file that takes another's place (rotated logs) or is written anew is shipped
    behind what was there before, after a line that says so.

    Of ``secret``, which a script may print with all its environment, stars are shipped, as many as it has letters.
    """

    def __init__(
        self,
        place: Path,
        path: str,
        head_bytes: int = LOG_HEAD_BYTES,
        tail_bytes: int = LOG_TAIL_BYTES,
        *,
        secret: str = "",
    ) -> None:
        super().__init__(place, path)
        self._head_bytes = head_bytes
        self._tail_bytes = tail_bytes
        # What the server has of files that stood here before, then our line about them.
        self._earlier_bytes = 0
        self._line = b""
        self._secret = secret.encode()
        # The present file: which one it is, how it begins, and whether it was seen shorter than what was shipped.
        self._identity: tuple[int, int] | None = None
        self._beginning = b""
        self._was_cut = False

    def length(self, *, is_closed: bool) -> int:
        return sum(_length(part) for part in self._parts(is_closed=is_closed))

    def next_bytes(self, bytes_max: int, *, is_closed: bool) -> FileBytes | None:
        chunk = super().next_bytes(bytes_max, is_closed=is_closed)
        if chunk is None or not self._secret:
            return chunk
        data = chunk.data.replace(self._secret, b"*" * len(self._secret))
        is_last = is_closed and chunk.offset + len(data) >= self.length(is_closed=True)
        if not is_last:
            # The end may be the beginning of the secret; it is shipped with what follows.
            data = data[: len(data) - _overlap(data, self._secret)]
        return FileBytes(path=self.path, offset=chunk.offset, data=data) if data else None

    def _read(self, bytes_max: int, *, is_closed: bool) -> bytes:
        self._look_at_beginning()
        begin = 0
        for part in self._parts(is_closed=is_closed):
            skipped = self.offset - begin
            if skipped < _length(part):
                if isinstance(part, _Gone):
                    return b"\n" * min(bytes_max, part.size_bytes - skipped)
                if isinstance(part, bytes):
                    return part[skipped : skipped + bytes_max]
                return self._read_at(part.start + skipped, min(bytes_max, len(part) - skipped))
            begin += _length(part)
        return b""

    def _parts(self, *, is_closed: bool) -> list[_Part]:
        """What is shipped, in order: what stood here before, ranges of the file, and lines of our own."""
        size = self._size()
        if size == 0:
            return [_Gone(self.offset)]  # removed or empty; what the server has stays
        parts: list[_Part] = [_Gone(self._earlier_bytes), self._line] if self._earlier_bytes else []
        head = max(0, self._head_bytes - self._earlier_bytes)
        if size <= head:
            return [*parts, range(size)]
        is_told = self._earlier_bytes >= self._head_bytes
        parts += [range(head)] if is_told else [range(head), _cut_line(self._head_bytes, self._tail_bytes)]
        if is_closed:
            tail = range(max(head, size - self._tail_bytes), size)
            parts += [f"[sublight: {tail.start - head} bytes are left out here]\n".encode(), tail]
        return parts

    def _size(self) -> int:
        try:
            found = os.stat(self._place, follow_symlinks=False)
        except FileNotFoundError:
            self._was_cut = self._was_cut or self._consumed() > 0
            return 0  # not written yet, removed, or just being replaced
        except OSError:
            return 0
        identity = (found.st_dev, found.st_ino)
        is_other = self._identity not in (None, identity)
        self._was_cut = self._was_cut or is_other or found.st_size < self._consumed()
        self._identity = identity
        if self._was_cut and found.st_size > 0:
            self._begin_anew()
        return found.st_size

    def _look_at_beginning(self) -> None:
        """Notice a file that was written anew and is longer already than the one before."""
        is_there = self._size() > 0
        consumed = min(_BEGINNING_BYTES, self._consumed())
        if not is_there or consumed == 0:
            return
        beginning = self._read_at(0, consumed)
        if beginning.startswith(self._beginning[:consumed]):
            self._beginning = beginning
        else:
            self._begin_anew()

    def _consumed(self) -> int:
        """How much of the present file is shipped, of its first part."""
        head = max(0, self._head_bytes - self._earlier_bytes)
        return min(head, max(0, self.offset - self._earlier_bytes - len(self._line)))

    def _begin_anew(self) -> None:
        self._was_cut = False
        self._beginning = b""
        if self.offset:
            is_told = self._earlier_bytes >= self._head_bytes
            self._earlier_bytes = self.offset
            self._line = b"" if is_told else _ANEW_LINE


def _overlap(data: bytes, secret: bytes) -> int:
    """How many bytes at the end of ``data`` are a beginning of ``secret``, though not all of it."""
    longest = min(len(secret) - 1, len(data))
    return next((length for length in range(longest, 0, -1) if data.endswith(secret[:length])), 0)


def _cut_line(head_bytes: int, tail_bytes: int) -> bytes:
    return (
        f"\n[sublight: this log is longer than {head_bytes} bytes; of what follows, only the last {tail_bytes} bytes "
        f"are kept, and they are shown when the run has ended]\n"
    ).encode()


def _length(part: _Part) -> int:
    return part.size_bytes if isinstance(part, _Gone) else len(part)
