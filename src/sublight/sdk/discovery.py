"""Finding the workspace's server: from the environment, from a configuration file, or beside the user's project."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sublight.core.errors import InvalidInput, NotAllowed, NotAuthenticated, ServerUnavailable
from sublight.sdk.endpoint import Endpoint

URL_VARIABLE = "SUBLIGHT_URL"
TOKEN_VARIABLE = "SUBLIGHT_TOKEN"
FOLDER = ".sublight"
SERVER_FILE = "server.json"
TOKEN_FILE = "owner.token"
CONFIG_FILE = "config.json"
LOG_FILE = "server.log"

_HEALTH_TIMEOUT_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class WrittenServer:
    """What ``server.json`` says of the server of a project; it may have died since."""

    url: str
    pid: int
    version: str
    workspace_id: str


def endpoint_from_environment(environment: Mapping[str, str]) -> Endpoint | None:
    """The server that SUBLIGHT_URL and SUBLIGHT_TOKEN name together, if they do."""
    url, token = environment.get(URL_VARIABLE, "").strip(), environment.get(TOKEN_VARIABLE, "").strip()
    if bool(url) != bool(token):
        given, missing = (URL_VARIABLE, TOKEN_VARIABLE) if url else (TOKEN_VARIABLE, URL_VARIABLE)
        raise InvalidInput(f"{given} is set, but {missing} is not; a remote server needs both of them")
    return Endpoint(url, token) if url else None


def find_project(start: Path) -> Path:
    """The folder whose workspace is meant at ``start``.

    The nearest folder upwards that has a ``.sublight``, else the nearest that has a ``.git``, else ``start`` itself.
    """
    start = start.resolve()
    if not start.is_dir():
        raise InvalidInput(f"expected a folder to look for a workspace in, got {start}, which is not one")
    chain = [start, *start.parents]
    for folder in chain:
        if (folder / FOLDER).is_dir():
            return folder
    for folder in chain:
        if (folder / ".git").exists():
            return folder
    return start


def configured_endpoint(project: Path) -> Endpoint | None:
    """The remote server that ``.sublight/config.json`` names, if there is such a file."""
    file = project / FOLDER / CONFIG_FILE
    return read_config_file(file) if file.is_file() else None


def read_config_file(file: Path) -> Endpoint:
    """A file of the form ``{"url": "https://…", "token_file": "path"}``; the path is relative to the file."""
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{file} must hold JSON like {_CONFIG_EXAMPLE}, but it cannot be read: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("url"), str):
        raise InvalidInput(f'{file} must hold JSON like {_CONFIG_EXAMPLE}, but it has no "url"')
    unknown = sorted(set(content) - {"url", "token_file"})
    if unknown:
        raise InvalidInput(f'{file} knows "url" and "token_file", got {unknown[0]!r}')
    token_path = file.parent / Path(str(content.get("token_file") or "token")).expanduser()
    return Endpoint(content["url"], read_token(token_path))


_CONFIG_EXAMPLE = '{"url": "https://host:port", "token_file": "token"}'


def read_token(file: Path) -> str:
    """The token in ``file``; NotAuthenticated says what to do when it cannot be read."""
    try:
        return file.read_text().strip()
    except FileNotFoundError as error:
        raise NotAuthenticated(
            f"the token file {file} does not exist; ask the workspace's owner for a token"
        ) from error
    except OSError as error:
        raise NotAuthenticated(
            f"the token file {file} cannot be read ({error.strerror}); it belongs to the person who started the "
            f"server: ask for a token of your own and set {URL_VARIABLE} and {TOKEN_VARIABLE}"
        ) from error


def written_server(project: Path) -> WrittenServer | None:
    """What the project's server wrote when it became ready; None when none did or it was stopped."""
    try:
        content = json.loads((project / FOLDER / SERVER_FILE).read_text())
        return WrittenServer(
            url=str(content["url"]),
            pid=int(content["pid"]),
            version=str(content["version"]),
            workspace_id=str(content["workspace_id"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_answering(server: WrittenServer) -> bool:
    """True when this very server answers at its address (another program may have got its port since)."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{server.url}/health", timeout=_HEALTH_TIMEOUT_SECONDS) as answer:
            content = json.loads(answer.read(65536))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("workspace_id") == server.workspace_id


def running_endpoint(project: Path) -> Endpoint | None:
    """The project's own server when it is up and answers; never starts one."""
    check_ownership(project)
    server = written_server(project)
    if server is None or not is_answering(server):
        return None
    return Endpoint(server.url, read_token(project / FOLDER / TOKEN_FILE), project)


def locate_again(project: Path) -> Endpoint:
    """Where the project's server says it is now; asked by a client that has lost it."""
    server = written_server(project)
    if server is None:
        raise ServerUnavailable(f"the Sublight server of {project} was stopped; start it with 'sublight up'")
    return Endpoint(server.url, read_token(project / FOLDER / TOKEN_FILE), project)


def check_ownership(project: Path) -> None:
    """Refuse a ``.sublight`` that someone else laid in our way: it could send our code to their server."""
    folder = project / FOLDER
    if not folder.exists() or os.geteuid() in (0, folder.stat().st_uid):
        return
    raise NotAllowed(
        f"{folder} belongs to another user; to use that workspace set {URL_VARIABLE} and {TOKEN_VARIABLE}, "
        "or work in a folder of your own"
    )
