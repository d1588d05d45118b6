"""The base of everything that a run configuration consists of: attributes on this side, camelCase keys in files.

A class lists its attributes in ``_fields``. From that it can be written as a plain dict and read back; keys are found
whatever their case, because files of the first versions wrote them in TitleCase.
"""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeVar

_logger = logging.getLogger("azureml.core.runconfig")
_told: set[str] = set()

Element = TypeVar("Element", bound="_AbstractRunConfigElement")


@dataclass(frozen=True, slots=True)
class Field:
    """One attribute: its key in files and, when it holds elements itself, their class and whether one, a list or a dict."""

    attribute: str
    key: str
    element: type[_AbstractRunConfigElement] | None = None
    many: Literal["one", "list", "dict"] = "one"


class _AbstractRunConfigElement:
    """Something with named settings; an attribute that no version knew is kept and told once."""

    _fields: ClassVar[tuple[Field, ...]] = ()
    _initialized = False

    def __setattr__(self, name: str, value: object) -> None:
        if self._initialized and not name.startswith("_") and not hasattr(self, name):
            tell_once(_logger, f"{type(self).__name__} has no setting {name!r}; it is kept, and has no effect")
        object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        return json.dumps(self._to_dict(), indent=4, default=str)

    def _to_dict(self) -> dict[str, Any]:
        """The settings by their keys, made of dicts, lists, text and numbers only."""
        return {field.key: _plain(getattr(self, field.attribute)) for field in self._fields}

    @classmethod
    def _blank(cls: type[Element]) -> Element:
        """An object with the defaults, to be filled."""
        return cls()

    @classmethod
    def _from_dict(cls: type[Element], values: Mapping[str, Any] | None) -> Element:
        """The object whose settings ``values`` hold; what is missing keeps its default, what is unknown is left out."""
        element = cls._blank()
        element._fill(values or {})
        return element

    def _fill(self, values: Mapping[str, Any]) -> None:
        by_name = {_folded(key): value for key, value in values.items()}
        for field in self._fields:
            if _folded(field.key) in by_name:
                self._set_field(field, by_name[_folded(field.key)])

    def _set_field(self, field: Field, value: Any) -> None:
        """Put a value from a file into its attribute; a section that is empty in the file keeps its defaults."""
        if field.element is None:
            setattr(self, field.attribute, _unwrapped(value))
        elif value is None:
            return
        elif field.many == "one":
            setattr(self, field.attribute, field.element._from_dict(value))
        elif field.many == "list":
            setattr(self, field.attribute, [field.element._from_dict(item) for item in value])
        else:
            setattr(self, field.attribute, {str(key): field.element._from_dict(item) for key, item in value.items()})


def tell_once(logger: logging.Logger, sentence: str) -> None:
    """Log a warning, once in a process."""
    if sentence not in _told:
        _told.add(sentence)
        logger.warning(sentence)


def _folded(key: object) -> str:
    return str(key).replace("_", "").lower()


def _plain(value: Any) -> Any:
    if isinstance(value, _AbstractRunConfigElement):
        return value._to_dict()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "as_dict"):
        return value.as_dict()
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)


def _unwrapped(value: Any) -> Any:
    """A value read from YAML without the reader's own list and dict classes."""
    if isinstance(value, Mapping):
        return {key: _unwrapped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unwrapped(item) for item in value]
    return copy.copy(value)
