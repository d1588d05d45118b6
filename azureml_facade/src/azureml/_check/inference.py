"""Finds the uses of the SDK v1 in a source: imports, calls with their keywords, methods and attributes.

Values are followed over assignments, loops, ``with`` and functions in the order of the lines, without running anything;
where nothing says what a name is, the usual names (``ws``, ``run``) count.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from azureml._check import refused_values
from azureml._check.returns import CALLS, USUAL_NAMES, given_by
from azureml._check.sources import Source
from azureml._features.table import Feature, Status, table, why_out_of_scope

PACKAGE = "azureml"
_MAKING = "()"
_CONFIGURING = ("attach_configuration", "provisioning_configuration")
_TELLING_OWNERS = ("Workspace", "Experiment", "Run", "HyperDriveRun", "TabularDataset", "FileDataset")
_UNDOCUMENTED = "the SDK v1 documents no such name"


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a name, and where."""

    line: int
    feature: Feature
    is_submission: bool = False


@dataclass(frozen=True, slots=True)
class _Value:
    """What an expression is: an object (of one of ``owners``), a class, a function, a module, or out of scope."""

    kind: str  # object, class, function, module, out, list, dict, tuple; local: a function of the script that gives ``path``
    owners: tuple[str, ...] = ()
    path: str = ""
    is_sure: bool = True

    @property
    def element(self) -> _Value:
        """What a list, a dictionary or a tuple holds."""
        return replace(self, kind="object")


def uses(source: Source) -> list[Use]:
    """All uses in the order of their lines; none when the source does not import the SDK.

    Calls that may be uses, and whose object nothing tells, are named in the source's ``unclear``.
    """
    finder = _Finder(imports_sdk=any(_imports_sdk(tree) for tree in source.trees))
    if finder.imports_sdk:
        for tree in source.trees:
            finder.block(tree.body)
        source.unclear = sorted(set(finder.unclear))
    return sorted(finder.found, key=lambda use: use.line)


def _imports_sdk(tree: ast.AST) -> bool:
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        if any(f"{name}.".startswith(f"{PACKAGE}.") for name in names):
            return True
    return False


class _Finder:
    """Walks the statements of a source; ``names`` is what each variable is at this point."""

    def __init__(self, *, imports_sdk: bool) -> None:
        self.imports_sdk = imports_sdk
        self.found: list[Use] = []
        self.unclear: list[tuple[int, str]] = []  # (line, name)
        self._foreign: set[str] = set()  # names that imports of other packages gave
        self._returned: list[_Value | None] = []
        self._table = table()
        self._names: dict[str, _Value] = {}
        self._telling = {
            method
            for owner in _TELLING_OWNERS
            for method in self._table.owners[owner].methods
            if "_" in method.strip("_")
        }

    # Statements

    def block(self, statements: Iterable[ast.stmt]) -> None:
        """Statements one after the other."""
        for statement in statements:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Import):
            self._import(node)
        elif isinstance(node, ast.ImportFrom):
            self._import_from(node)
        elif isinstance(node, ast.Assign):
            value = self._value(node.value)
            for target in node.targets:
                self._assign(target, value, node.value)
        elif isinstance(node, ast.AnnAssign):
            self._assign(node.target, self._value(node.value) if node.value else None, node.value)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            self._assign(node.target, self._element(node.iter), None)
            self.block([*node.body, *node.orelse])
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                value = self._value(item.context_expr)
                if item.optional_vars is not None:
                    self._assign(item.optional_vars, value, None)
            self.block(node.body)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self._function(node)
        elif isinstance(node, ast.ClassDef):
            for expression in [*node.bases, *(keyword.value for keyword in node.keywords), *node.decorator_list]:
                self._value(expression)
            self.block(node.body)
        elif isinstance(node, ast.Return):
            self._returned.append(self._value(node.value))
        else:
            self._parts(node)

    def _parts(self, node: ast.AST) -> None:
        """Whatever a statement or expression holds, in order."""
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                self._statement(child)
            elif isinstance(child, ast.expr):
                self._value(child)
            else:
                self._parts(child)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for expression in [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]:
            self._value(expression)
        outside = dict(self._names)
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        for argument in arguments:
            self._names.pop(argument.arg, None)
            annotated = self._value(argument.annotation) if argument.annotation is not None else None
            if annotated is not None and annotated.kind == "class":
                self._names[argument.arg] = replace(annotated, kind="object")
        outer_returned, self._returned = self._returned, []
        self.block(node.body)
        attributes = {name: value for name, value in self._names.items() if name.startswith("self.")}
        self._names = {**outside, **attributes}
        self._remember_given(node)
        self._returned = outer_returned

    def _remember_given(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """What a call of the script's own function gives, when one of its returns tells."""
        given = next(filter(None, self._returned), None)
        arguments = [*node.args.posonlyargs, *node.args.args]
        name = f"self.{node.name}" if arguments and arguments[0].arg == "self" else node.name
        self._names.pop(name, None)
        if given is not None and given.kind in ("object", "list", "dict", "tuple"):
            self._names[name] = replace(given, kind="local", path=given.kind)

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            if not f"{alias.name}.".startswith(f"{PACKAGE}."):
                self._foreign.add(alias.asname or alias.name.partition(".")[0])
                continue
            self._imported(node.lineno, alias.name, "")
            shown = alias.asname or PACKAGE
            self._names[shown] = _module_value(alias.name if alias.asname else PACKAGE)

    def _import_from(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if node.level or not f"{module}.".startswith(f"{PACKAGE}."):
            self._foreign.update(alias.asname or alias.name for alias in node.names)
            return
        for alias in node.names:
            value = self._imported(node.lineno, module, "" if alias.name == "*" else alias.name)
            if alias.name == "*":
                self._star(module)
            elif value is not None:
                self._names[alias.asname or alias.name] = value

    def _star(self, module: str) -> None:
        try:
            names = getattr(importlib.import_module(module), "__all__", [])
        except ImportError:
            return
        for name in names:
            value = self._named(module, name)
            if value is not None:
                self._names[name] = value

    def _imported(self, line: int, module: str, name: str) -> _Value | None:
        """Note an import; the value of ``from module import name``."""
        path = f"{module}.{name}" if name else module
        try:
            loaded = importlib.import_module(module)
        except ImportError:
            self._note(line, Feature(path, Status.REFUSED, "the SDK v1 has no such module"))
            return None
        if not name:
            self._note(line, Feature(path, Status.WORKS))
            return None
        try:
            value = self._named(module, name)
        except AttributeError:
            self._note(line, Feature(path, Status.REFUSED, f"{loaded.__name__} has no such name"))
            return None
        self._note(line, Feature(path, Status.WORKS))
        return value

    def _named(self, module: str, name: str) -> _Value | None:
        """What ``module.name`` is; AttributeError when there is no such thing."""
        if why_out_of_scope(f"{module}.{name}") is not None and not module.startswith(f"{PACKAGE}._"):
            return _Value("out", path=f"{module}.{name}")
        try:
            thing = getattr(importlib.import_module(module), name)
        except AttributeError:
            try:
                importlib.import_module(f"{module}.{name}")
            except ImportError:
                raise AttributeError(name) from None
            return _module_value(f"{module}.{name}")
        return self._of_thing(thing, f"{module}.{name}")

    def _of_thing(self, thing: Any, path: str) -> _Value | None:
        if type(thing).__name__ in ("module", "_Placeholders"):
            return _module_value(path)
        owner = self._owner(thing)
        if owner is None:
            return None
        return _Value("function" if self._table.owners[owner].is_function else "class", (owner,), path)

    def _owner(self, thing: Any) -> str | None:
        name = getattr(thing, "__name__", "")
        if getattr(thing, "__module__", "") == "azureml.core.runconfig" and f"runconfig.{name}" in self._table.owners:
            return f"runconfig.{name}"
        return name if name in self._table.owners else None

    # Expressions

    def _value(self, node: ast.expr | None) -> _Value | None:
        """What an expression is, while its uses are noted."""
        if node is None:
            return None
        if isinstance(node, ast.Name):
            return self._variable(node.id)
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Subscript):
            holder = self._value(node.value)
            self._value(node.slice)
            return holder.element if holder is not None and holder.kind in ("list", "dict", "tuple") else None
        if isinstance(node, ast.NamedExpr):
            value = self._value(node.value)
            self._assign(node.target, value, node.value)
            return value
        if isinstance(node, ast.IfExp):
            self._value(node.test)
            first, second = self._value(node.body), self._value(node.orelse)
            return first or second
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
            return self._comprehension(node)
        if isinstance(node, (ast.List, ast.Tuple)):
            values = [self._value(element) for element in node.elts]
            first_value = values[0] if values else None
            is_same = first_value is not None and first_value.kind == "object" and len(set(values)) == 1
            return replace(first_value, kind="list") if is_same and first_value is not None else None
        if isinstance(node, ast.Await):
            return self._value(node.value)
        if isinstance(node, ast.Lambda):
            self._value(node.body)
            return None
        self._parts(node)
        return None

    def _variable(self, name: str) -> _Value | None:
        if name in self._names:
            return self._names[name]
        usual = USUAL_NAMES.get(name)
        return None if usual is None else _Value("object", (usual,), is_sure=False)

    def _attribute(self, node: ast.Attribute) -> _Value | None:
        own = _own_name(node)
        if own is not None and own in self._names:
            return self._names[own]
        holder = self._value(node.value)
        if holder is None:
            return None
        if holder.kind == "module":
            try:
                return self._named(holder.path, node.attr)
            except AttributeError:
                self._note(node.lineno, Feature(f"{holder.path}.{node.attr}", Status.REFUSED, _UNDOCUMENTED))
                return None
        if holder.kind == "out":
            return replace(holder, path=f"{holder.path}.{node.attr}")
        if holder.kind not in ("object", "class"):
            return None
        return self._member(node.lineno, holder, node.attr, [])

    def _call(self, node: ast.Call) -> _Value | None:
        # The callee first: what is called stands before its arguments.
        called, member = self._callee(node.func)
        arguments = [self._value(argument) for argument in node.args]
        keywords = [keyword.arg for keyword in node.keywords if keyword.arg is not None]
        by_keyword = {keyword.arg: self._value(keyword.value) for keyword in node.keywords}
        if called is None:
            self._note_unclear(node)
            return _passed_on(node.func, arguments)
        if called.kind == "local" and not member:
            return replace(called, kind=called.path, path="")
        if called.kind == "out":
            path = f"{called.path}.{member}" if member else called.path
            why = why_out_of_scope(path) or _UNDOCUMENTED
            self._note(node.lineno, Feature(path, Status.REFUSED, why))
            return replace(called, path=path)
        if called.kind in ("list", "dict"):
            return self._of_container(called, member)
        if member:
            return self._method(node.lineno, called, member, keywords, arguments, by_keyword)
        if called.kind not in ("class", "function"):
            return None
        owner = called.owners[0]
        self._note(node.lineno, self._table.of(owner))
        self._keywords(node.lineno, owner, _MAKING, keywords)
        for refused in refused_values.in_call(self._table, owner, node):
            self._note(node.lineno, refused)
        if owner in CALLS:
            return _described(CALLS[owner])
        return _Value("object", called.owners) if called.kind == "class" else None

    def _callee(self, node: ast.expr) -> tuple[_Value | None, str]:
        """What is called: (holder, member) of a method, (class or function, "") else."""
        if not isinstance(node, ast.Attribute):
            return self._value(node), ""
        own = _own_name(node)
        if own is not None and own in self._names:
            return self._names[own], ""
        holder = self._value(node.value)
        if holder is not None and holder.kind == "module":
            try:
                return self._named(holder.path, node.attr), ""
            except AttributeError:
                self._note(node.lineno, Feature(f"{holder.path}.{node.attr}", Status.REFUSED, _UNDOCUMENTED))
                return None, ""
        return holder, node.attr

    def _method(
        self,
        line: int,
        holder: _Value,
        member: str,
        keywords: list[str],
        arguments: list[_Value | None],
        by_keyword: dict[str | None, _Value | None],
    ) -> _Value | None:
        if holder.kind not in ("object", "class"):
            return None
        given = self._member(line, holder, member, keywords)
        if "Experiment" not in holder.owners or member != "submit":
            return given
        config = arguments[0] if arguments else by_keyword.get("config")
        if config is not None and config.kind == "out":
            return config
        is_sweep = config is not None and any("HyperDriveConfig" in self._table.lineage(one) for one in config.owners)
        return _Value("object", ("HyperDriveRun" if is_sweep else "Run",))

    def _member(self, line: int, holder: _Value, member: str, keywords: list[str]) -> _Value | None:
        """Note the use of a member; what it gives."""
        owner = next((one for one in holder.owners if self._table.has(one, member)), None)
        if owner is None:
            if holder.is_sure and not member.startswith("_") and not self._is_there(holder.owners, member):
                shown = f"{holder.owners[0]}.{member}"
                self._note(line, Feature(shown, Status.REFUSED, _UNDOCUMENTED))
            return None
        if holder.kind == "class" and member in _CONFIGURING and (why := self._azure_only(owner)):
            # It can be written down; what is made of it refuses, and that is what matters of it.
            self._note(line, Feature(f"{owner}.{member}", Status.REFUSED, why))
            return None
        is_submission = owner == "Experiment" and member == "submit"
        self.found.append(Use(line, self._table.of(owner, member), is_submission))
        self._keywords(line, owner, member, keywords)
        for one in self._table.lineage(owner):
            if given := given_by(one, member):
                return _described(given)
        return None

    def _azure_only(self, owner: str) -> str:
        """Why a kind of compute target is refused as a whole, or an empty text."""
        if "ComputeTarget" not in self._table.lineage(owner):
            return ""
        feature = self._table.of(owner, "get_status")
        return feature.how if feature.status is Status.REFUSED else ""

    def _is_there(self, owners: tuple[str, ...], member: str) -> bool:
        """Whether the facade has what the table does not name."""
        for owner in owners:
            known = self._table.owners[owner]
            cls = getattr(importlib.import_module(known.module), owner.removeprefix("runconfig."), None)
            if hasattr(cls, member):
                return True
        return False

    def _keywords(self, line: int, owner: str, member: str, keywords: list[str]) -> None:
        for feature in self._not_plain(owner, member, keywords):
            self._note(line, feature)

    def _not_plain(self, owner: str, member: str, keywords: list[str]) -> list[Feature]:
        """Of the keywords of a call those that do not simply work."""
        known = self._table.parameters(owner, member)
        if known is None:
            return []
        found = []
        for keyword in keywords:
            feature = self._table.of(owner, member, keyword)
            if keyword not in known and "**" not in known:
                feature = replace(feature, status=Status.REFUSED, how="the SDK v1 takes no such parameter")
            if feature.status is not Status.WORKS:
                found.append(feature)
        return found

    def _of_container(self, holder: _Value, member: str) -> _Value | None:
        if member in ("get", "pop", "setdefault"):
            return holder.element
        if member in ("values", "copy"):
            return replace(holder, kind="list" if member == "values" else holder.kind)
        return replace(holder, kind="items") if member == "items" else None

    def _element(self, node: ast.expr) -> _Value | None:
        """What a loop over an expression gets."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name = node.func.id
            if name in ("list", "sorted", "reversed", "tuple", "set", "tqdm") and node.args:
                return self._element(node.args[0])
            if name == "enumerate" and node.args:
                element = self._element(node.args[0])
                return None if element is None else replace(element, kind="items", owners=element.owners)
        value = self._value(node)
        if value is None:
            return None
        if value.kind in ("list", "tuple"):
            return value.element
        return value if value.kind == "items" else None

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> _Value | None:
        outside = dict(self._names)
        for generator in node.generators:
            self._assign(generator.target, self._element(generator.iter), None)
            for condition in generator.ifs:
                self._value(condition)
        if isinstance(node, ast.DictComp):
            self._value(node.key)
            element, kind = self._value(node.value), "dict"
        else:
            element, kind = self._value(node.elt), "list"
        self._names = outside
        return replace(element, kind=kind) if element is not None and element.kind == "object" else None

    # Names

    def _assign(self, target: ast.expr, value: _Value | None, written: ast.expr | None) -> None:
        if isinstance(target, ast.Name):
            if value is None:
                self._names.pop(target.id, None)
            else:
                self._names[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target.elts, value, written)
        elif isinstance(target, ast.Attribute):
            own = _own_name(target)
            if own is not None and value is not None:
                self._names[own] = value
            elif own is None:
                self._assigned_member(target, written)
        else:
            self._value(target)

    def _unpack(self, targets: list[ast.expr], value: _Value | None, written: ast.expr | None) -> None:
        if isinstance(written, (ast.Tuple, ast.List)) and len(written.elts) == len(targets):
            quiet = len(self.found)
            for target, part in zip(targets, written.elts, strict=True):
                self._assign(target, self._value(part), part)
            del self.found[quiet:]  # the parts were noted when the whole was looked at
            return
        for position, target in enumerate(targets):
            given = None
            if (value is not None and value.kind in ("tuple", "list")) or (
                value is not None and value.kind == "items" and position == len(targets) - 1
            ):
                given = value.element
            self._assign(target, given, None)

    def _assigned_member(self, target: ast.Attribute, written: ast.expr | None) -> None:
        """``object.attribute = …``: only documented attributes are noted, because an object takes any."""
        holder = self._value(target.value)
        if holder is None or holder.kind != "object":
            return
        owner = next((one for one in holder.owners if self._table.has(one, target.attr)), None)
        if owner is not None:
            refused = refused_values.in_assignment(self._table, owner, target.attr, written)
            self._note(target.lineno, refused or self._table.of(owner, target.attr))

    def _note_unclear(self, node: ast.Call) -> None:
        """A call of a method that the SDK's objects have and hardly any others, on something that nobody knows."""
        function = node.func
        if not isinstance(function, ast.Attribute) or function.attr not in self._telling:
            return
        before = function.value.func if isinstance(function.value, ast.Call) else None
        if isinstance(before, ast.Attribute) and before.attr in self._telling:
            return  # the first call of a chain stands for all
        outermost: ast.expr = function
        while isinstance(outermost, (ast.Attribute, ast.Call, ast.Subscript)):
            outermost = outermost.func if isinstance(outermost, ast.Call) else outermost.value
        if isinstance(outermost, ast.Name) and outermost.id not in self._foreign:
            self.unclear.append((node.lineno, f"{ast.unparse(function.value)}.{function.attr}"))

    def _note(self, line: int, feature: Feature) -> None:
        self.found.append(Use(line, feature))


def _module_value(path: str) -> _Value:
    is_out = why_out_of_scope(path) is not None and not path.startswith(f"{PACKAGE}._")
    return _Value("out" if is_out else "module", path=path)


def _described(given: str) -> _Value:
    """The value that a text of ``returns`` speaks of."""
    if given.startswith("class "):
        return _Value("class", (given.removeprefix("class "),))
    if given.startswith("out "):
        return _Value("out", path=given.removeprefix("out "))
    kind = {"[": "list", "{": "dict", "(": "tuple"}.get(given[0], "object")
    return _Value(kind, tuple(given.strip("[]{}()").split("|")))


def _passed_on(callee: ast.expr, arguments: list[_Value | None]) -> _Value | None:
    """What ``next(x)`` and ``list(x)`` give of a known ``x``."""
    first = arguments[0] if arguments else None
    if not isinstance(callee, ast.Name) or first is None or first.kind not in ("list", "dict", "tuple"):
        return None
    if callee.id == "next":
        return first.element
    return first if callee.id in ("list", "sorted", "tuple", "reversed") else None


def _own_name(node: ast.Attribute) -> str | None:
    """``self.x`` under that name, because methods of one class share it."""
    return f"self.{node.attr}" if isinstance(node.value, ast.Name) and node.value.id == "self" else None
