"""Messages of the original's private client: they can be filled in, and there is no service to send them to."""

from __future__ import annotations

from typing import Any

from azureml.exceptions import ServiceException

ErrorResponseException = ServiceException


class _Message:
    """What was to be sent: its fields as attributes."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def as_dict(self) -> dict[str, Any]:
        """Its fields."""
        return dict(self.__dict__)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return None  # a field that nobody filled in

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.__dict__!r})"


class CreateRunDto(_Message):
    """A run to create."""


class ModifyRunDto(_Message):
    """Changes to a run."""


class RunDto(_Message):
    """A run."""


def __getattr__(name: str) -> Any:
    """Any other message of the original by its name."""
    if name.startswith("_") or not name[:1].isupper():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = type(name, (_Message,), {"__module__": __name__, "__doc__": "A message of the original's client."})
    globals()[name] = made
    return made
