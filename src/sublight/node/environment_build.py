"""The process that builds an environment: ``python -m sublight.node.environment_build``, a request in, lines out.

A process of its own, because the agent collects all of its children itself and would take uv's exit codes for its own;
and so that a build can be ended as a whole. It holds the environment's lock while it works, so one builds it and the
others find it built.

In: one JSON object (see `Request`). Out, a JSON object a line: ``{"progress": …}`` any number of times, then
``{"ready": true, "is_built": …}`` or ``{"failure": …}``. What a person may want to know goes into the log file of the
request.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any

from sublight.core.amounts import bytes_in_words, counted
from sublight.core.errors import SublightError
from sublight.core.resolution import CLIENT_PYTHON_MIN, choose_python, plan
from sublight.messages.definitions import EnvironmentSpec
from sublight.node.environment_folder import EnvironmentFolder, Facts, tidy
from sublight.node.uv import UvIndex, default_uv

# What the client that talks to the workspace imports.
_CLIENT_REQUIREMENTS = ("httpx>=0.27", "msgspec>=0.19", "packaging>=23")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to build and where. ``python`` is the node's own, ``log`` the file that is appended to."""

    root: str
    key: str
    spec: EnvironmentSpec
    log: str
    python: str
    has_gpu: bool
    needs_client: bool
    bytes_max: int

    def to_json(self) -> bytes:
        """The line that starts the process's work."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Request:
        """What `to_json` made."""
        values = json.loads(data)
        return cls(**{**values, "spec": EnvironmentSpec(**values["spec"])})


def build(request: Request, say: Callable[..., None], log: Callable[[str], None]) -> bool:
    """Build the environment; False when somebody else has by now. Raises CannotBuild or OSError, and leaves nothing."""
    folder = EnvironmentFolder(Path(request.root), request.key)
    name = request.spec.name
    with folder.locked_alone(
        waits=lambda: say(progress=f"waits for environment {name}, which is being built for another run")
    ):
        if folder.facts() is not None:
            return False
        folder.clear()
        tidy(Path(request.root), request.bytes_max, spare=request.key)
        began = time.monotonic()
        try:
            facts = _fill(request, folder, say, log)
            facts = replace(facts, size_bytes=folder.measure(), seconds=time.monotonic() - began, built=time.time())
            folder.finish(facts)
        except BaseException:
            folder.clear()
            raise
        log(f"built in {facts.seconds:.1f} s, {bytes_in_words(facts.size_bytes)}")
        return True


def _fill(request: Request, folder: EnvironmentFolder, say: Callable[..., None], log: Callable[[str], None]) -> Facts:
    """Choose the Python and the packages, and install them."""
    spec, name = request.spec, request.spec.name
    say(progress=f"building environment {name}: looking for its packages")
    uv, environment = default_uv(log)
    own = ".".join(str(part) for part in sys.version_info[:3])
    pythons = {**uv.pythons(), own: request.python}
    version, changes, notes = choose_python(spec, list(pythons), own, needs_client=request.needs_client)
    # First, because it fetches pip: a package index that does not have even that is none, and leaves nothing to relax.
    uv.make(folder.path, pythons[version])
    index = UvIndex(uv, version, pythons[version], environment)
    is_client_possible = tuple(int(part) for part in version.split(".")[:2]) >= CLIENT_PYTHON_MIN
    companions = _CLIENT_REQUIREMENTS if request.needs_client and is_client_possible else ()
    planned = plan(spec, index, has_gpu=request.has_gpu, own_companions=companions)
    changes, notes = [*changes, *planned.changes], [*notes, *planned.notes]
    amount = counted(len(planned.packages), "package")
    for sentence in (f"Python {version}, {amount}", *changes, *notes):
        log(sentence)
    say(progress=f"building environment {name}: installing {amount}")
    uv.install(folder.path, planned.packages, torch_backend=index.torch_backend)
    return Facts(name=name, python=version, packages=planned.packages, changes=changes, notes=notes)


def main(inlet: IO[bytes], outlet: IO[str]) -> None:
    """Serve the one request that comes in."""
    request = Request.from_json(inlet.read())

    def say(**line: Any) -> None:
        print(json.dumps(line), file=outlet, flush=True)

    with open(request.log, "a", encoding="utf-8", errors="replace") as file:

        def log(line: str) -> None:
            print(line, file=file, flush=True)

        try:
            is_built = build(request, say, log)
        except SublightError as error:
            name = request.spec.name
            sentence = str(error) if repr(name) in str(error) else f"the environment {name!r} cannot be built: {error}"
            log(f"failed: {sentence}")
            say(failure=sentence)
        except OSError as error:
            sentence = _disk_sentence(error, request)
            log(f"failed: {sentence}")
            say(failure=sentence)
        else:
            say(ready=True, is_built=is_built)


def _disk_sentence(error: OSError, request: Request) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        free = bytes_in_words(shutil.disk_usage(request.root).free)
        return (
            f"the environment {request.spec.name!r} has no room on the disk of node {os.uname().nodename} ({free} free)"
        )
    return f"the environment {request.spec.name!r} cannot be built: {error}"


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout)
