"""The table of what works agrees with the facade: what it names is there, what it calls refused refuses, and so on."""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from azureml._features.document import document
from azureml._features.table import Owner, Status, table
from azureml._features.usage import feature_of, keyword_works, used_features, used_keywords
from azureml.exceptions import NotSupportedByFacade
from tests.facade.surface import _assigned

pytestmark = pytest.mark.slow  # every line of the table

TABLE = table()
OWNERS = list(TABLE.owners.values())
DOCUMENT = Path(__file__).parents[2] / "docs" / "azureml.md"


def found(owner: Owner) -> Any:
    """The class or function of the facade."""
    module = owner.module
    try:
        home = importlib.import_module(module)
    except ModuleNotFoundError:
        parent, _, name = module.rpartition(".")
        home = getattr(importlib.import_module(parent), name)
    return getattr(home, owner.name.removeprefix("runconfig."))


def is_out_of_scope(thing: Any) -> bool:
    return type(thing).__name__ == "_Refusing"


def functions(owner: Owner) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Each member that can be called, ``()`` for making an object; properties by what they call."""
    thing = found(owner)
    if is_out_of_scope(thing):
        return
    if owner.is_function:
        yield "()", thing
        return
    if thing.__init__ is not object.__init__ and inspect.isfunction(thing.__init__):
        yield "()", thing.__init__
    for member in owner.members:
        raw = inspect.getattr_static(thing, member, None)
        raw = raw.fget if isinstance(raw, property) else getattr(raw, "__func__", raw)
        if inspect.isfunction(raw):
            yield member, raw


def body(function: Callable[..., Any]) -> list[ast.stmt]:
    """What a function does: its statements, without the docstring."""
    definition = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function)))).body[0]
    assert isinstance(definition, ast.FunctionDef)
    statements = definition.body
    is_documented = isinstance(statements[0], ast.Expr) and isinstance(statements[0].value, ast.Constant)
    return statements[1:] if is_documented else statements


def refuses_at_once(function: Callable[..., Any]) -> bool:
    """Whether the first thing it does is to refuse."""
    statements = body(function)
    if not statements or not isinstance(statements[0], ast.Expr) or not isinstance(statements[0].value, ast.Call):
        return False
    called = statements[0].value.func
    return (called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")) in ("refuse", "_refuse")


def unread(function: Callable[..., Any]) -> set[str]:
    """The documented parameters that it never reads."""
    statements = body(function)
    names = {node.id for statement in statements for node in ast.walk(statement) if isinstance(node, ast.Name)}
    if not statements or "locals" in names:
        return set()
    parameters = inspect.signature(function).parameters.values()
    given = {one.name for one in parameters if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)}
    return {name for name in given - names if not name.startswith("_")} - {"self", "cls"}


@pytest.mark.parametrize("owner", OWNERS, ids=[owner.name for owner in OWNERS])
def test_every_name_of_the_table_is_there(owner: Owner) -> None:
    thing = found(owner)
    if is_out_of_scope(thing) or owner.is_function:
        return
    fields = {field.attribute for field in getattr(thing, "_fields", ()) if hasattr(field, "attribute")}

    missing = [name for name in owner.members if not hasattr(thing, name) and name not in _assigned(thing) | fields]

    assert missing == []


@pytest.mark.parametrize("owner", OWNERS, ids=[owner.name for owner in OWNERS])
def test_the_table_says_of_everything_that_refuses_that_it_does(owner: Owner) -> None:
    if is_out_of_scope(found(owner)):
        return
    for member, function in functions(owner):
        if refuses_at_once(function):
            assert TABLE.of(owner.name, member).status is Status.REFUSED, f"{owner.name}.{member} refuses"


def noted(status: Status) -> list[tuple[str, str, str]]:
    """(owner, member, how) of all members of that status; ``*`` stands for all that are not excepted."""
    return [
        (owner.name, member, feature.how)
        for owner in OWNERS
        for member in ("()", *owner.members)
        if (feature := TABLE.of(owner.name, member)).status is status
    ]


@pytest.mark.parametrize(("owner", "member", "how"), noted(Status.REFUSED))
def test_what_the_table_calls_refused_refuses_for_that_reason(owner: str, member: str, how: str) -> None:
    thing = found(TABLE.owners[owner])
    with pytest.raises(NotSupportedByFacade) as caught:
        call(thing, member)
    assert any(clause in caught.value.message for clause in how.split("; "))


def call(thing: Any, member: str) -> Any:
    """Use a member as a script would: with a text for every argument that it needs."""
    if member == "()":
        return thing(*needed(thing.__init__ if inspect.isclass(thing) and not is_out_of_scope(thing) else thing))
    if is_out_of_scope(thing):
        return getattr(thing, member)()
    raw = inspect.getattr_static(thing, member)
    if isinstance(raw, property):
        return raw.fget(object.__new__(thing))  # type: ignore[misc]
    bound = getattr(thing, member)
    if not isinstance(raw, (staticmethod, classmethod)):
        bound = bound.__get__(object.__new__(thing))
    return bound(*needed(bound))


def needed(function: Any) -> list[str]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return ["x" for one in parameters if one.default is one.empty and one.kind in positional and one.name != "self"]


@pytest.mark.parametrize("owner", OWNERS, ids=[owner.name for owner in OWNERS])
def test_the_table_says_of_every_parameter_that_is_never_read_that_it_is_ignored(owner: Owner) -> None:
    for member, function in functions(owner):
        if TABLE.of(owner.name, member).status is Status.REFUSED:
            continue
        for parameter in unread(function) & set(TABLE.parameters(owner.name, member) or ()):
            status = TABLE.of(owner.name, member, parameter).status
            assert status in (Status.IGNORED, Status.REFUSED), f"{owner.name}.{member}({parameter}) is never read"


def test_the_notes_speak_of_names_that_there_are() -> None:
    wrong = []
    for name, feature in TABLE.noted:
        owner = TABLE.owners.get(name)
        inside, _, parameter = feature.name.removeprefix(f"{name}.").partition("(")
        member = "()" if inside == name else inside
        if owner is None or (member not in ("()", "*") and not TABLE.has(name, member)):
            wrong.append(feature.name)
        elif parameter:
            known = TABLE.parameters(name, member) or ()
            if parameter.rstrip(")") not in known and "**" not in known:
                wrong.append(feature.name)

    assert wrong == []


def test_notes_are_one_sentence_each() -> None:
    assert [
        feature for _, feature in TABLE.noted if "\n" in feature.how or ". " in feature.how or not feature.how
    ] == []


@pytest.mark.parametrize("use", used_features(), ids=[f"{use.name} {use.use}" for use in used_features()])
def test_the_table_knows_every_name_that_people_use(use: Any) -> None:
    assert feature_of(use.name).name == use.name


def test_every_name_that_sweeps_use_works() -> None:
    assert [use.name for use in used_features() if use.in_sweeps and use.feature.status is Status.REFUSED] == []


def test_every_keyword_that_people_use_is_taken_but_one() -> None:
    refused = [(name, keyword) for name, keyword, _ in used_keywords() if not keyword_works(name, keyword)]

    assert refused == [("HyperDriveConfig", "resume_child_runs")]


def test_a_name_that_nobody_knows_is_in_no_table() -> None:
    with pytest.raises(KeyError):
        feature_of("Workspace.make_coffee")


def test_a_class_has_what_is_said_of_its_base() -> None:
    assert TABLE.of("HyperDriveRun", "log", "description").status is Status.IGNORED
    assert TABLE.of("HyperDriveRun", "log").status is Status.WORKS


def test_the_document_is_the_one_that_the_table_makes() -> None:
    assert DOCUMENT.read_text() == document(), "run: python -m azureml._features.document"
