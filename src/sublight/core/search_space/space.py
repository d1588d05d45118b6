"""The search space: named distributions, some of which a choice may bring in or leave out."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import ClassVar, TypeAlias

from sublight.core.errors import InvalidInput
from sublight.core.search_space.normal import LogNormal, Normal, QLogNormal, QNormal
from sublight.core.search_space.numeric import LogUniform, Numeric, QLogUniform, QUniform, RandInt, Uniform
from sublight.core.search_space.values import Point, Value, is_value, plain, shown

# Options that can give the same point are told apart by listing their points; this bounds the list.
_OVERLAP_MAX = 100_000
_NUMERIC_KINDS: Mapping[str, type[Numeric]] = {
    cls.kind: cls
    for cls in (RandInt, Uniform, QUniform, LogUniform, QLogUniform, Normal, QNormal, LogNormal, QLogNormal)
}


@dataclass(frozen=True)
class Choice:
    """One of several options, each equally likely.

    An option is a plain value, or a ``SearchSpace`` of its own: choosing that one contributes its parameters to the
    point, and the name of the choice itself is then no argument. Repeated options count once.
    """

    kind: ClassVar[str] = "choice"
    options: tuple[Value | SearchSpace, ...]

    def __post_init__(self) -> None:
        options: dict[Hashable, Value | SearchSpace] = {}
        for given in self.options:
            option = given if isinstance(given, SearchSpace) else plain(given)
            if isinstance(option, SearchSpace):
                options.setdefault(repr(option.to_json()), option)
            elif is_value(option):
                options.setdefault(_identity(option), option)
            else:
                raise InvalidInput(
                    "choice takes text, finite numbers, booleans, None, or a mapping of parameters as options, "
                    f"got {shown(given)}"
                )
        if not options:
            raise InvalidInput("choice needs at least one option, got none")
        object.__setattr__(self, "options", tuple(options.values()))

    def quantile(self, u: float) -> int:
        """The index of the option for ``u`` in 0..1."""
        return min(int(u * len(self.options)), len(self.options) - 1)

    def spaces(self) -> Iterator[SearchSpace]:
        """The options that are spaces of their own."""
        return (option for option in self.options if isinstance(option, SearchSpace))

    @cached_property
    def size(self) -> int | None:
        """How many distinct contributions to a point there are; None when infinitely many."""
        if self._listed is not None:
            return len(self._listed)
        return None if None in self._sizes else sum(size for size in self._sizes if size is not None)

    def nth(self, index: int) -> tuple[int, int]:
        """The option of contribution number ``index``, and the number of the point within that option."""
        if self._listed is not None:
            return self._listed[index]
        for option, size in enumerate(self._sizes):
            assert size is not None, "contributions are numbered only when they are finitely many"
            if index < size:
                return option, index
            index -= size
        raise IndexError(index)

    def to_json(self) -> dict[str, object]:
        """``{"type": "choice", "values": [...]}``; a space of its own is a mapping in the list."""
        values = [option.to_json() if isinstance(option, SearchSpace) else option for option in self.options]
        return {"type": self.kind, "values": values}

    @cached_property
    def _sizes(self) -> tuple[int | None, ...]:
        return tuple(option.size if isinstance(option, SearchSpace) else 1 for option in self.options)

    @cached_property
    def _listed(self) -> list[tuple[int, int]] | None:
        """Each distinct contribution once, when some options can give the same one; else None."""
        spaces = list(self.spaces())
        if None in self._sizes or not any(_may_overlap(a, b) for i, a in enumerate(spaces) for b in spaces[:i]):
            return None
        if sum(size for size in self._sizes if size is not None) > _OVERLAP_MAX:
            raise InvalidInput(
                f"a choice has options that can give the same point, and more than {_OVERLAP_MAX:,} points; give each "
                "option a parameter that tells it apart"
            )
        first: dict[Hashable, tuple[int, int]] = {}
        for number, option in enumerate(self.options):
            if isinstance(option, SearchSpace):
                for index, point in enumerate(option.points()):
                    first.setdefault(option.key(point), (number, index))
            else:
                first[number] = (number, 0)
        return list(first.values())


Distribution: TypeAlias = Numeric | Choice


@dataclass(frozen=True)
class SearchSpace:
    """The set that a sweep's points come from: distributions by name, in declared order.

    Made by ``SearchSpace.from_json``. Every failed check is an InvalidInput that names the parameter.
    """

    parameters: tuple[tuple[str, Distribution], ...]

    def __post_init__(self) -> None:
        claimed: dict[str, int] = {}
        for number, (name, distribution) in enumerate(self.parameters):
            _check_name(name)
            inner_names = _inner_names(distribution)
            if name.lstrip("-") in {inner.lstrip("-") for inner in inner_names}:
                raise InvalidInput(
                    f"an option of the choice {name!r} contains a parameter of that same name; rename one of them"
                )
            for claim in (name, *inner_names):
                if claimed.setdefault(claim.lstrip("-"), number) != number:
                    raise InvalidInput(
                        f"the name {claim!r} occurs twice in the search space (leading dashes do not count); "
                        "rename one of them"
                    )

    @classmethod
    def from_json(cls, declared: Mapping[str, object]) -> SearchSpace:
        """The space declared by a mapping of name to distribution.

        A distribution is its JSON form (``{"type": "uniform", "min_value": 0, "max_value": 1}``), an object made by
        ``sublight.uniform(...)`` and its kin, or a list, which means a choice.
        """
        if not isinstance(declared, Mapping) or not declared:
            raise InvalidInput(
                f"a search space needs a mapping of at least one parameter to its distribution, got {shown(declared)}"
            )
        return cls(tuple((name, _read(name, raw, is_option=False)) for name, raw in declared.items()))

    def to_json(self) -> dict[str, object]:
        """Plain data from which ``from_json`` makes an equal space."""
        return {name: distribution.to_json() for name, distribution in self.parameters}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All names that can occur in a point, in declared order, each once."""
        names: dict[str, None] = {}
        for name, distribution in self.parameters:
            if not isinstance(distribution, Choice) or len(list(distribution.spaces())) < len(distribution.options):
                names[name] = None
            names.update(dict.fromkeys(_inner_names(distribution, with_choices=False)))
        return tuple(names)

    @cached_property
    def slots(self) -> tuple[tuple[str, Distribution], ...]:
        """Every distribution in the tree with its path, in declared order: the coordinates of the space.

        The path of a parameter is its name; of one inside an option, ``<path of the choice> <option> <name>``.
        """
        return tuple(self._slots_below(""))

    @cached_property
    def size(self) -> int | None:
        """How many distinct points there are; None when infinitely many."""
        sizes = [distribution.size for _, distribution in self.parameters]
        return None if None in sizes else math.prod(size for size in sizes if size is not None)

    def sample(self, rng: random.Random) -> Point:
        """A random point: each distribution is drawn independently."""
        return self.build(lambda _, distribution: distribution.quantile(rng.random()))

    def at(self, coordinates: Mapping[str, float]) -> Point:
        """The point for one number in 0..1 per slot, by path."""
        return self.build(lambda path, distribution: distribution.quantile(coordinates[path]))

    def points(self) -> Iterator[Point]:
        """Every point of a finite space once, in declared order, the last parameter changing fastest; lazily."""
        if self.size is None:
            raise InvalidInput("the points of a search space with infinitely many cannot be listed")
        return (self.nth(index) for index in range(self.size))

    def nth(self, index: int) -> Point:
        """The point number ``index`` (from 0) of a finite space, in the order of ``points``."""
        digits: list[int] = []
        for _, distribution in reversed(self.parameters):
            size = distribution.size
            assert size is not None, "points are numbered only when they are finitely many"
            index, digit = divmod(index, size)
            digits.append(digit)
        if index:
            raise IndexError("the space has fewer points")
        point: Point = {}
        for (name, distribution), digit in zip(self.parameters, reversed(digits), strict=True):
            if isinstance(distribution, Choice):
                number, inner = distribution.nth(digit)
                option = distribution.options[number]
                point.update(option.nth(inner) if isinstance(option, SearchSpace) else {name: option})
            else:
                point[name] = distribution.nth(digit)
        return point

    def build(self, decide: Callable[[str, Distribution], Value]) -> Point:
        """The point that results from asking ``decide`` for each slot that applies, in declared order.

        ``decide`` gets the slot's path and distribution and answers with the value; for a choice, with the index of the
        option.
        """
        point: Point = {}
        self._build(point, "", decide)
        return point

    def trace(self, point: Mapping[str, Value]) -> dict[str, Value] | None:
        """The answers with which ``build`` makes ``point``, by path; None when the point is not in the space.

        When several options of a choice fit, the first one counts.
        """
        answers: dict[str, Value] = {}
        return answers if self._trace(dict(point), "", answers) else None

    def contains(self, point: Mapping[str, Value]) -> bool:
        """True when the space can give exactly this point."""
        return self.trace(point) is not None

    def key(self, point: Mapping[str, Value]) -> Hashable:
        """What identifies a point, in whatever order its names stand; 1, 1.0, True and "1" are different values."""
        return tuple((name, *_identity(point[name])) for name in sorted(point))

    def _slots_below(self, prefix: str) -> Iterator[tuple[str, Distribution]]:
        for name, distribution in self.parameters:
            path = prefix + name
            yield path, distribution
            if isinstance(distribution, Choice):
                for number, option in enumerate(distribution.options):
                    if isinstance(option, SearchSpace):
                        yield from option._slots_below(f"{path} {number} ")

    def _build(self, point: Point, prefix: str, decide: Callable[[str, Distribution], Value]) -> None:
        for name, distribution in self.parameters:
            path = prefix + name
            answer = decide(path, distribution)
            if isinstance(distribution, Numeric):
                point[name] = answer
                continue
            assert isinstance(answer, int), "a choice is decided by the index of an option"
            option = distribution.options[answer]
            if isinstance(option, SearchSpace):
                option._build(point, f"{path} {answer} ", decide)
            else:
                point[name] = option

    def _trace(self, rest: Point, prefix: str, answers: dict[str, Value]) -> bool:
        """Take what belongs to this space out of ``rest``; True when it fits and nothing is left over."""
        for name, distribution in self.parameters:
            path = prefix + name
            own: Point = {}
            for claim in (name, *_inner_names(distribution)):
                if claim in rest:
                    own[claim] = rest.pop(claim)
            if isinstance(distribution, Numeric):
                if name not in own or not distribution.contains(own[name]):
                    return False
                answers[path] = own[name]
            elif not _trace_choice(name, distribution, own, path, answers):
                return False
        return not rest


def _trace_choice(name: str, choice: Choice, own: Point, path: str, answers: dict[str, Value]) -> bool:
    for number, option in enumerate(choice.options):
        if isinstance(option, SearchSpace):
            inner: dict[str, Value] = {}
            if option._trace(dict(own), f"{path} {number} ", inner):
                answers[path] = number
                answers.update(inner)
                return True
        elif own.keys() == {name} and _identity(own[name]) == _identity(option):
            answers[path] = number
            return True
    return False


def _read(name: str, raw: object, *, is_option: bool) -> Distribution:
    """The distribution declared as ``raw``; inside an option of a choice, a plain value is allowed too."""
    try:
        if isinstance(raw, (Numeric, Choice)):
            return raw
        if isinstance(raw, (list, range)):
            return choice_of(raw)
        if isinstance(raw, Mapping):
            return _read_mapping(raw)
        if is_option:
            return Choice((raw,))  # type: ignore[arg-type]  # Choice checks it
    except InvalidInput as error:
        raise InvalidInput(f"parameter {name!r}: {error}") from None
    raise InvalidInput(
        f"parameter {name!r} needs a distribution, got {shown(raw)}; a fixed value belongs into the script's "
        "arguments, or into a choice of one option"
    )


def _read_mapping(raw: Mapping[str, object]) -> Distribution:
    kind = raw.get("type")
    arguments = {key: value for key, value in raw.items() if key != "type"}
    if kind == Choice.kind:
        expected = ["values"]
    elif isinstance(kind, str) and kind in _NUMERIC_KINDS:
        expected = [field.name for field in fields(_NUMERIC_KINDS[kind])]  # type: ignore[arg-type]
    else:
        kinds = ", ".join([Choice.kind, *_NUMERIC_KINDS])
        raise InvalidInput(f"'type' must be one of {kinds}, got {shown(kind)}")
    if set(arguments) != set(expected):
        raise InvalidInput(f"{kind} takes {_listed(expected)}, got {_listed(list(arguments)) or 'nothing'}")
    if kind != Choice.kind:
        return _NUMERIC_KINDS[str(kind)](**arguments)
    values = arguments["values"]
    if not isinstance(values, (list, tuple, range)):
        raise InvalidInput(f"choice takes a list of values, got {shown(values)}")
    return choice_of(values)


def choice_of(options: list[object] | tuple[object, ...] | range) -> Choice:
    """The choice between ``options``; a mapping among them becomes a space of its own."""
    return Choice(tuple(_read_option(option) for option in options))


def _read_option(option: object) -> Value | SearchSpace:
    if isinstance(option, Mapping):
        return SearchSpace(tuple((name, _read(name, raw, is_option=True)) for name, raw in option.items()))
    return option  # type: ignore[return-value]  # Choice checks it


def _listed(names: list[str]) -> str:
    """``a, b and c``."""
    return " and ".join(", ".join(map(str, part)) for part in (names[:-1], names[-1:]) if part)


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not name.lstrip("-"):
        raise InvalidInput(f"the name of a parameter must be text and more than dashes, got {name!r}")
    if "=" in name or any(character.isspace() or not character.isprintable() for character in name):
        raise InvalidInput(
            f"the name of a parameter may not contain white space or '=', because it becomes an argument, got {name!r}"
        )


def _inner_names(distribution: Distribution, *, with_choices: bool = True) -> tuple[str, ...]:
    """The names inside a choice's options; with those of inner choices that are no arguments themselves, on demand."""
    names: dict[str, None] = {}
    if isinstance(distribution, Choice):
        for space in distribution.spaces():
            names.update(dict.fromkeys(space.names))
            if with_choices:
                for name, inner in space.parameters:
                    names.update(dict.fromkeys((name, *_inner_names(inner))))
    return tuple(names)


def _identity(value: Value) -> tuple[str, Value]:
    return type(value).__name__, value


def _may_overlap(a: SearchSpace, b: SearchSpace) -> bool:
    """False when some parameter tells the points of two spaces apart for sure."""
    for one, other in ((a, b), (b, a)):
        for name, distribution in one.parameters:
            always_there = not isinstance(distribution, Choice) or not any(distribution.spaces())
            if always_there and name not in other.names:
                return False
    others = dict(b.parameters)
    return all(_may_be_equal(mine, others[name]) for name, mine in a.parameters if name in others)


def _may_be_equal(a: Distribution, b: Distribution) -> bool:
    """False when two distributions have no value in common for sure; only short choices are compared."""
    if not isinstance(a, Choice) or not isinstance(b, Choice) or any(a.spaces()) or any(b.spaces()):
        return True
    return not {_identity(option) for option in a.options}.isdisjoint(_identity(option) for option in b.options)  # type: ignore[arg-type]
