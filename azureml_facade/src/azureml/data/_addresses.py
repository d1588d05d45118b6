"""Public addresses: the workspace's own copy where there is one, else the file behind the address, kept on this machine.

``sublight data map URL FILE`` puts a copy into the workspace. A mapped address is answered from there and never asked for
over the network, so that a run gives the same result on every node and on every day; one log line says so. An address
that is not mapped is fetched with ten seconds' patience. What was fetched is asked for again only if it changed, and
serves when the address cannot be reached any more.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from azureml.data import _globs, _workspaces
from azureml.data.dataset_error_handling import DatasetValidationError

_TIMEOUT_SECONDS = 10.0
_log = logging.getLogger("azureml.data")
_told: set[str] = set()


@dataclass(frozen=True, slots=True)
class AddressFile:
    """A local file that stands for an address; ``options`` are how the map says it is to be read."""

    url: str
    local: Path
    options: Mapping[str, Any]


def files_of(url: str, sdk: Any) -> list[AddressFile]:
    """The local files for ``url`` (several for a pattern); DatasetValidationError says how to map it when there is none."""
    mapped = _mapped(url, sdk) if sdk is not None else []
    if mapped:
        if url not in _told:
            _told.add(url)
            _log.warning("%s is read from the copy in the workspace (sublight data map)", without_secrets(url))
        return mapped
    if _globs.has_pattern(url.partition("?")[0]):
        raise _unreachable(url, "a pattern can only name addresses that are mapped")
    if urlsplit(url).scheme not in ("http", "https"):
        raise _unreachable(url, f"{urlsplit(url).scheme} addresses belong to Azure")
    return [AddressFile(url, _fetch(url), {})]


def _unreachable(url: str, why: str) -> DatasetValidationError:
    shown = without_secrets(url)
    return DatasetValidationError(
        f"{shown} cannot be read here ({why}); put a copy on this machine and map the address to it: "
        f"sublight data map {shown} FILE"
    )


def _mapped(url: str, sdk: Any) -> list[AddressFile]:
    from sublight.sdk.errors import NotFound

    if _globs.has_pattern(url.partition("?")[0]):
        assets = [one for one in sdk.assets.list("address", is_latest_only=True) if _globs.matches(one.name, url)]
    else:
        try:
            assets = [sdk.assets.get("address", url)]
        except NotFound:
            return []
    return [_as_file(asset, sdk) for asset in sorted(assets, key=lambda asset: str(asset.name))]


def _as_file(asset: Any, sdk: Any) -> AddressFile:
    folder = _workspaces.copies_of(sdk).of_asset(asset)
    files = sorted(asset.files(), key=lambda file: str(file.path))
    return AddressFile(asset.name, folder / files[0].path, (asset.definition or {}).get("options") or {})


def _fetch(url: str) -> Path:
    import httpx

    folder = cache_folder() / hashlib.sha256(url.encode()).hexdigest()[:32]
    target = folder / file_name(url)
    kept = _read_kept(folder / "answer.json") if target.is_file() else {}
    headers = {}
    if kept.get("etag"):
        headers["If-None-Match"] = kept["etag"]
    if kept.get("last-modified"):
        headers["If-Modified-Since"] = kept["last-modified"]
    try:
        with httpx.stream("GET", url, headers=headers, timeout=_TIMEOUT_SECONDS, follow_redirects=True) as answer:
            if answer.status_code == httpx.codes.NOT_MODIFIED and target.is_file():
                return target
            answer.raise_for_status()
            folder.mkdir(parents=True, exist_ok=True)
            handle, part = tempfile.mkstemp(dir=folder)
            with os.fdopen(handle, "wb") as sink:
                for chunk in answer.iter_bytes():
                    sink.write(chunk)
            os.replace(part, target)
            told = {name: answer.headers[name] for name in ("etag", "last-modified") if name in answer.headers}
            (folder / "answer.json").write_text(json.dumps({"url": url, **told}))
    except httpx.HTTPError as error:
        if target.is_file():
            shown = without_secrets(url)
            _log.warning("%s cannot be reached (%s); the copy fetched earlier is used", shown, _reason(error))
            return target
        raise _unreachable(url, _reason(error)) from None  # the layers of an HTTP library tell a reader nothing
    return target


def _reason(error: Exception) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"the server answered {response.status_code}"
    return str(error).strip() or type(error).__name__


def _read_kept(file: Path) -> dict[str, str]:
    try:
        kept = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def without_secrets(url: str) -> str:
    """The address as it may stand in a log: a password in it, and a signature after it, are left out."""
    parts = urlsplit(url)
    host = re.sub(r"^[^@]*:[^@]*@", "…@", parts.netloc)
    query = re.sub(
        r"(?i)(^|&)(sig|signature|token|access_token|x-amz-[^=]*|password|key)=[^&]*", r"\1\2=…", parts.query
    )
    return parts._replace(netloc=host, query=query).geturl()


def file_name(url: str) -> str:
    """The last part of the address, as a file's name."""
    return unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2].replace("\\", "_") or "download"


def cache_folder() -> Path:
    """Where fetched addresses are kept on this machine."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "sublight" / "addresses"
