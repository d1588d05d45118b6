"""Which commit a source folder is at: the properties that a submitted run carries."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

_SECONDS_MAX = 10


def git_properties(folder: str | Path) -> dict[str, str]:
    """Address, branch, commit and whether there are changes; empty outside of a repository or without git.

    Names and passwords in the address are left out.
    """
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return {}
    branch = _git(folder, "symbolic-ref", "--short", "-q", "HEAD")
    remote = _git(folder, "config", "--get", "remote.origin.url")
    address = None if remote is None else without_credentials(remote)
    changes = _git(folder, "status", "--porcelain", "--", ".")
    found = {
        "azureml.git.repository_uri": address,
        "mlflow.source.git.repoURL": address,
        "azureml.git.branch": branch,
        "mlflow.source.git.branch": branch,
        "azureml.git.commit": commit,
        "mlflow.source.git.commit": commit,
        "azureml.git.dirty": None if changes is None else str(bool(changes)),
        "azureml.git.build_id": os.environ.get("BUILD_BUILDID"),
        "azureml.git.build_uri": os.environ.get("BUILD_BUILDURI"),
    }
    return {name: value for name, value in found.items() if value}


def without_credentials(address: str) -> str:
    """The address of a repository without the name and password in it (``git@host:path`` stays: it holds none)."""
    if "://" not in address:
        return re.sub(r"^[^@/:]+:[^@/]+@", "", address)
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _git(folder: str | Path, *arguments: str) -> str | None:
    """What git answers; None when it has no answer. It must never ask for anything, nor hold up a submission."""
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS_MAX,
            env=environment,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
