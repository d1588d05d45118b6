"""The server's process: it owns the workspace by a lock, listens on loopback, and tells where."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn

from sublight import __version__
from sublight.core.errors import InvalidInput, StorageFull, WorkspaceBusy
from sublight.server.settings import Settings

SERVER_FILE = "server.json"
LOCK_FILE = "server.lock"
PORT_FILE = "port"


class AnnouncingServer(uvicorn.Server):
    """Calls ``announce`` once it accepts connections, and ``withdraw`` before it waits for open requests to end.

    ``withdraw`` must let the long polls and streams go, which would otherwise hold the server up.
    """

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None], withdraw: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce
        self._withdraw = withdraw

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start accepting, then announce."""
        await super().startup(sockets)
        if self.started:
            self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Withdraw, then stop accepting and let requests finish."""
        self._withdraw()
        await super().shutdown(sockets)


def take_lock(root: Path) -> int:
    """Own the workspace as long as this process lives; returns the lock's descriptor. WorkspaceBusy when it is owned."""
    descriptor = os.open(root / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(descriptor, 100).decode(errors="replace").strip()
        os.close(descriptor)
        raise WorkspaceBusy(
            f"another server ({holder or 'of unknown process'}) already owns the workspace {root}; "
            "`sublight status` shows it, `sublight stop` ends it"
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"process {os.getpid()}".encode(), 0)
    return descriptor


def earlier_port(root: Path) -> int | None:
    """The port of the last server, so that bookmarks and agents find the next one at the same place."""
    try:
        return int((root / PORT_FILE).read_text())
    except (OSError, ValueError):
        return None


def listen(settings: Settings, earlier_port: int | None) -> socket.socket:
    """A listening socket: on the port that was asked for, else on the earlier one, else on a free one."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    wanted = [settings.port] if settings.port is not None else [earlier_port or 0, 0]
    for port in wanted:
        try:
            listener.bind((settings.host, port))
            break
        except OSError as error:
            if port == wanted[-1]:
                raise InvalidInput(
                    f"port {port} on {settings.host} cannot be used: {error.strerror}; choose another with --port"
                ) from error
    listener.listen(2048)
    listener.set_inheritable(False)
    return listener


def announce(root: Path, listener: socket.socket, workspace_id: str) -> None:
    """Write ``server.json``: clients and agents read there how to reach this server."""
    host, port = listener.getsockname()[:2]
    (root / PORT_FILE).write_text(str(port))
    facts = {
        "url": f"http://{host}:{port}",
        "pid": os.getpid(),
        "started": time.time(),
        "version": __version__,
        "workspace_id": workspace_id,
    }
    write_private(root / SERVER_FILE, json.dumps(facts))
    logging.getLogger("sublight.server").info("serving %s at %s", root, facts["url"])


def forget_announcement(root: Path) -> None:
    """Remove ``server.json`` when it is ours."""
    try:
        if json.loads((root / SERVER_FILE).read_text()).get("pid") == os.getpid():
            (root / SERVER_FILE).unlink()
    except (OSError, ValueError):
        pass  # nothing was announced, or another server has announced itself since


def write_private(path: Path, text: str) -> None:
    """Replace a file as a whole, readable by its owner only."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        try:
            _write_all(descriptor, text.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(aside, path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


@contextlib.contextmanager
def plain_errors(root: Path) -> Iterator[None]:
    """Turn what the system says while a server starts into a sentence: a full disk, a folder that cannot be written."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(
                f"the disk that holds {root} is full, so its server cannot start; free some space and try again"
            ) from error
        where = error.filename or root
        raise InvalidInput(
            f"the server needs to read and write the workspace's folder {root}, but: {error.strerror} ({where})"
        ) from error
