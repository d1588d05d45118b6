"""``Keyvault``: secrets, which Sublight does not store; they are read from the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from azureml._refusal import refuse
from azureml.exceptions import UserErrorException

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace

_NAME = re.compile(r"[a-zA-Z0-9-]{1,127}\Z")


class Keyvault:
    """Reads the secret ``db-password`` from the environment variable ``DB_PASSWORD``; nothing is ever stored."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def get_secret(self, name: str) -> str:
        """The value of the environment variable of that name (capital letters, ``_`` for ``-``).

        UserErrorException, which names the variable, when it is not set.
        """
        variable = _variable(name)
        if variable not in os.environ:
            raise UserErrorException(
                f"the secret {name!r} is not known: Sublight stores no secrets; set the environment variable {variable} "
                "where this program runs (environment variables of a run configuration reach its runs)"
            )
        return os.environ[variable]

    def get_secrets(self, secrets: Iterable[str]) -> dict[str, str]:
        """Several secrets by name."""
        return {name: self.get_secret(name) for name in secrets}

    def get_secret_content_type(self, name: str) -> str:
        """Always that none was given."""
        self.get_secret(name)
        return "application/NotProvided"

    def list_secrets(self) -> list[dict[str, Any]]:
        """Empty: none is stored."""
        return []

    def set_secret(self, name: str, value: str, content_type: str = "application/NotProvided") -> None:
        """Refused: Sublight stores no secrets."""
        _refuse("set_secret", name)

    def set_secrets(self, secrets_batch: Mapping[str, Any]) -> None:
        """Refused: Sublight stores no secrets."""
        _refuse("set_secrets", next(iter(secrets_batch), "secret"))

    def delete_secret(self, name: str) -> None:
        """Refused: Sublight stores no secrets."""
        _refuse("delete_secret", name)

    def delete_secrets(self, secrets: Iterable[str]) -> None:
        """Refused: Sublight stores no secrets."""
        _refuse("delete_secrets", next(iter(secrets), "secret"))


def _refuse(method: str, name: str) -> NoReturn:
    refuse(
        f"Keyvault.{method}",
        f"Sublight stores no secrets; set the environment variable {_variable(name)}, which get_secret reads",
    )


def _variable(name: str) -> str:
    if not isinstance(name, str) or not _NAME.match(name):
        raise UserErrorException(f"a secret's name has 1 to 127 letters, digits and hyphens, got {name!r}")
    return name.replace("-", "_").upper()
