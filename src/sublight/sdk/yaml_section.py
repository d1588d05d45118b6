"""A YAML file that remembers where its keys stand, so that every complaint names file, line and key.

Reading is by taking: each key that a reader understands is taken out of its section, and what is left over at the end
is unknown. So nothing in a user's file is ever ignored in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sublight.core.arguments import as_text
from sublight.core.errors import InvalidInput, NotSupported
from sublight.sdk.script import listed, suggestion

Keys = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """YAML as people mean it: ``1e-5`` is a number, and a key stands in a mapping only once."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)[eE][-+]?\d+"), list("-+.0123456789")
)


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file and the line of each key in it, by the path of keys that leads there."""

    file: Path
    content: Any
    lines: Mapping[Keys, int]

    def place(self, keys: Keys) -> str:
        """``sweep.yml, line 12 (trial.code)``."""
        line = self.lines.get(keys)
        dotted = ".".join(str(key) for key in keys)
        return f"{self.file.name}" + (f", line {line}" if line else "") + (f" ({dotted})" if dotted else "")


def load_document(file: Path) -> Document:
    """Read a YAML file; InvalidInput says where it is not well formed."""
    try:
        text = file.read_text()
    except FileNotFoundError as error:
        near = sorted(path.name for path in file.parent.glob("*.y*ml")) if file.parent.is_dir() else []
        there = f"; {file.parent.resolve()} holds {listed(near)}" if near else ""
        raise InvalidInput(f"there is no file {file}{there}{suggestion(file.name, near)}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} cannot be read as text: {error}") from error
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        lines: dict[Keys, int] = {}
        if node is not None:
            _check_keys(node, file, seen=set())
        content = None if node is None else loader.construct_document(node)
        if node is not None:
            _note_lines(node, (), lines, loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        raise InvalidInput(
            f"{file.name}{place} is not valid YAML: {getattr(error, 'problem', None) or error}"
        ) from error
    finally:
        loader.dispose()
    return Document(file, content, lines)


def _check_keys(node: yaml.Node, file: Path, seen: set[int]) -> None:
    """Refuse keys that stand twice in one mapping, where YAML would silently take the last."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check_keys(item, file, seen)
    elif isinstance(node, yaml.MappingNode):
        names: set[str] = set()
        for key, value in node.value:
            if key.value in names:
                line = key.start_mark.line + 1
                raise InvalidInput(f"{file.name}, line {line}: the key {key.value!r} stands twice in its section")
            if isinstance(key.value, str):
                names.add(key.value)
            _check_keys(value, file, seen)


def _note_lines(node: yaml.Node, keys: Keys, lines: dict[Keys, int], loader: yaml.SafeLoader) -> None:
    lines.setdefault(keys, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _note_lines(item, (*keys, number), lines, loader)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = loader.construct_object(key, deep=True)
            lines[(*keys, name)] = key.start_mark.line + 1
            _note_lines(value, (*keys, name), lines, loader)


class Section:
    """A mapping in a document whose keys are taken one by one; ``close`` refuses what nobody took."""

    def __init__(self, document: Document, keys: Keys, content: Mapping[Any, Any]) -> None:
        self.document = document
        self.keys = keys
        self._content = dict(content)
        self._taken: set[str] = set()

    @classmethod
    def whole(cls, document: Document) -> Section:
        """The document itself, which must be a mapping."""
        if not isinstance(document.content, Mapping):
            raise InvalidInput(
                f"{document.file.name} must hold a mapping of keys to values, got {_kind(document.content)}"
            )
        return cls(document, (), document.content)

    def place(self, key: str | int | None = None) -> str:
        """Where a key of this section, or the section itself, stands."""
        return self.document.place(self.keys if key is None else (*self.keys, key))

    def fault(self, key: str | int | None, sentence: str) -> InvalidInput:
        """An error to raise about a key."""
        return InvalidInput(f"{self.place(key)}: {sentence}")

    def names(self) -> list[str]:
        """The keys as they stand in the file."""
        return [str(name) for name in self._content]

    def has(self, key: str) -> bool:
        """True when the key stands there with a value."""
        return self._content.get(key) is not None

    def take(self, key: str) -> Any:
        """The value of a key, or None."""
        self._taken.add(key)
        return self._content.get(key)

    def text(self, key: str) -> str | None:
        """A text, or None when the key is not there."""
        value = self.take(key)
        if value is None or isinstance(value, str):
            return value
        raise self.fault(key, f"expected text, got {_kind(value)}; put it in quotes")

    def needed_text(self, key: str) -> str:
        """A text that must be there."""
        value = self.text(key)
        if value is None or not value.strip():
            raise self.fault(None, f"{key!r} is missing")
        return value

    def number(self, key: str) -> float | None:
        """A number, or None when the key is not there."""
        value = self.take(key)
        if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
            return value
        raise self.fault(key, f"expected a number, got {_kind(value)}")

    def whole_number(self, key: str) -> int | None:
        """A whole number, or None when the key is not there."""
        value = self.number(key)
        if value is None or isinstance(value, int):
            return value
        raise self.fault(key, f"expected a whole number, got {value}")

    def section(self, key: str) -> Section:
        """The section under a key; an empty one when it is not there."""
        value = self.take(key)
        if value is None:
            return Section(self.document, (*self.keys, key), {})
        if not isinstance(value, Mapping):
            raise self.fault(key, f"expected a section of keys and values, got {_kind(value)}")
        return Section(self.document, (*self.keys, key), value)

    def texts(self, key: str) -> dict[str, str]:
        """A section of plain values, each as the text that a script would get."""
        section = self.section(key)
        values: dict[str, str] = {}
        for name in section.names():
            value = section.take(name)
            if value is None or isinstance(value, (Mapping, list)):
                raise section.fault(name, f"expected a plain value, got {_kind(value)}")
            values[name] = as_text(value)
        return values

    def refuse(self, reasons: Mapping[str, str]) -> None:
        """NotSupported for a key that is known but not offered here; ``reasons`` says what to do instead."""
        for key, reason in reasons.items():
            if self.take(key) is not None:
                raise NotSupported(f"{self.place(key)}: {reason}")

    def close(self, ignored: Iterable[str] = ()) -> None:
        """Refuse the keys that nobody took, with the nearest known name; ``ignored`` keys mean nothing to us."""
        known = sorted(self._taken | set(ignored))
        unknown = [key for key in self._content if key not in known]
        if not unknown:
            return
        where = "here" if self.keys else "in a job file"
        if len(unknown) == 1:
            named = f"{unknown[0]!r} is not known {where}{suggestion(str(unknown[0]), known)}"
        else:
            named = f"{', '.join(map(repr, unknown))} are not known {where}"
        raise self.fault(unknown[0], f"{named} (known: {', '.join(known)})")


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a section"
    if isinstance(value, list):
        return "a list"
    return f"the text {value!r}" if isinstance(value, str) else repr(value)
