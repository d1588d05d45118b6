"""One sentence about a request that does not fit its message: which field, what was expected, what came."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError

# What a message is to the person who wrote it.
_NOUNS = {
    "ClusterRequest": "a cluster",
    "ClusterUpdate": "a change to a cluster",
    "SubmitRequest": "a submission",
    "ScriptDefinition": "a script",
    "SweepDefinition": "a sweep",
    "SnapshotRequest": "a snapshot",
    "SnapshotFile": "a file of a snapshot",
    "RunUpdate": "a change to a run",
    "PersonRequest": "a person",
    "PersonUpdate": "a change to a person",
    "TokenRequest": "a token",
    "AssetRequest": "an asset",
    "AssetFile": "a file of an asset",
    "RunFiles": "the files of a run",
    "AssetUpdate": "a change to an asset",
    "DatastoreRequest": "a datastore",
}
_UNKNOWN_FIELD = ("extra_forbidden", "unexpected_keyword_argument")
_MISSING_FIELD = ("missing", "missing_keyword_only_argument", "missing_argument")
_SHOWN_MAX = 60


def sentence_about(request: Request, error: RequestValidationError) -> str:
    """The first fault of the request in words. Values are shown shortened, and never those of headers."""
    fault: Mapping[str, Any] = next(iter(error.errors()), {"type": "", "loc": (), "msg": "is not valid"})
    place, *path = fault["loc"] or ("request",)
    kind = fault["type"]
    if kind == "json_invalid":
        return f"the request's body is not valid JSON: {fault.get('ctx', {}).get('error', 'it cannot be read')}"
    if place == "body" and not path:
        return "the request needs a JSON object as its body, with the header `Content-Type: application/json`"
    name = _name(path) or str(place)
    owner = _message_at(_body_type(request), path[:-1]) if place == "body" else None
    noun = _NOUNS.get(owner.__name__, "this request") if owner is not None else "this request"
    if kind in _UNKNOWN_FIELD:
        return f'"{name}" is not a field of {noun}; {_suggestion(str(path[-1]), owner)}'
    if kind in _MISSING_FIELD:
        return f'"{name}" is missing; {noun} needs it'
    shown = "" if place in ("header", "cookie") else f", got {_shown(fault.get('input'))}"
    return f'"{name}" {_expectation(fault)}{shown}'


def _expectation(fault: Mapping[str, Any]) -> str:
    text = str(fault["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    words = {
        "should be a valid integer, unable to parse string as an integer": "must be a whole number",
        "should be a valid integer": "must be a whole number",
        "should be a valid integer, got a number with a fractional part": "must be a whole number",
        "should be a valid number, unable to parse string as a number": "must be a number",
        "should be a valid number": "must be a number",
        "should be a valid string": "must be text",
        "should be a valid list": "must be a list",
        "should be a valid dictionary": "must be a mapping of names to values",
        "should be a valid boolean": "must be true or false",
        "should be a valid boolean, unable to interpret input": "must be true or false",
    }
    return words.get(text, text.replace("should be", "must be", 1))


def _suggestion(name: str, owner: type[Any] | None) -> str:
    fields = [field.name for field in dataclasses.fields(owner)] if owner is not None else []
    near = difflib.get_close_matches(name.lower(), fields, n=1, cutoff=0.6)
    if near:
        return f'did you mean "{near[0]}"?'
    return f"its fields are {', '.join(fields)}" if fields else "leave it out"


def _name(path: Sequence[Any]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{str(part)[:_SHOWN_MAX]}"
    return text.removeprefix(".")


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str | int | float | bool | None) else f"a {type(value).__name__}"
    return text if len(text) <= _SHOWN_MAX else text[: _SHOWN_MAX - 3] + "..."


def _body_type(request: Request) -> Any:
    field = getattr(request.scope.get("route"), "body_field", None)
    return getattr(getattr(field, "field_info", None), "annotation", None)


def _message_at(declared: Any, path: Sequence[Any]) -> type[Any] | None:
    """The message class at ``path`` inside the body's declared type, or None where it is not one."""
    found = _message_in(declared)
    for part in path:
        if isinstance(part, int) or found is None:
            continue
        hints = typing.get_type_hints(found)
        if part not in hints:
            return None
        found = _message_in(hints[part])
    return found


def _message_in(declared: Any) -> type[Any] | None:
    if dataclasses.is_dataclass(declared) and isinstance(declared, type):
        return declared
    if typing.get_origin(declared) in (typing.Union, types.UnionType, list):
        return next(filter(None, map(_message_in, typing.get_args(declared))), None)
    return None
