"""From what an environment asks for to the packages that are installed: exactly that, or the nearest that can be had.

The rules, for an environment whose pins may be relaxed. Every change becomes a sentence:

1. A Python that is not there gives way to the one at hand, and so does one on which Sublight's client cannot work when
   the script needs the workspace.
2. A version that has no wheel for that Python gives way to the nearest later one that has, else to the nearest earlier
   one, else to any.
3. Pins that do not go together are loosened in the order in which they stand.
4. A package that the index does not have is left out.

Without relaxing, the first of these is an error that names the package. Two rules hold always: a node without GPUs gets
no build for CUDA (gigabytes that it cannot use), and NumPy stays below 2 for packages that were built before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from sublight.core.environment import Wanted, meant_name, requirement_fault
from sublight.core.errors import InvalidInput, SublightError

# Inside a script, ``from sublight import run`` works from here on; the client that talks to the workspace from there.
SCRIPT_PYTHON_MIN = (3, 8)
CLIENT_PYTHON_MIN = (3, 11)

# What Sublight brings along itself; the packages of these names on the index would stand in its way.
_OURS = ("azureml", "sublight")
_TORCH = ("torch", "torchvision", "torchaudio")
# The first release of each that was built for NumPy 2; earlier ones fail at import beside it.
_BUILT_FOR_NUMPY_2 = {
    "scikit-learn": "1.4.2",
    "pandas": "2.2.2",
    "scipy": "1.13",
    "matplotlib": "3.9",
    "tensorflow": "2.18",
    "torch": "2.3",
    "h5py": "3.11",
    "numba": "0.60",
    "pyarrow": "16",
    "statsmodels": "0.14.2",
    "scikit-image": "0.23",
    "opencv-python": "4.10",
    "opencv-python-headless": "4.10",
}
# Scripts and packages of the time before these versions use what they removed, and seldom pin all of them.
_BEFORE_REMOVALS = {"numpy": "1.24", "pandas": "2", "scikit-learn": "1.2", "setuptools": "81"}
# What many packages of that time import (pkg_resources) without asking for it.
_OF_THE_TIME = ("setuptools",)


class Unresolvable(Exception):
    """No set of packages fits. The text is the resolver's reason; ``is_unknown``: a package is not in the index."""

    def __init__(self, cause: str, *, is_unknown: bool = False) -> None:
        super().__init__(cause)
        self.is_unknown = is_unknown


class CannotBuild(SublightError):
    """The environment cannot be built as it is asked for; the sentence names the package."""

    code = "cannot_build"


class Index(Protocol):
    """The packages that can be installed for one Python, as wheels."""

    @property
    def python(self) -> str:
        """The version of that Python, such as ``3.11.7``."""

    def resolve(
        self,
        requirements: Sequence[str],
        *,
        constraints: Sequence[str] = (),
        is_alone: bool = False,
        prefers_lowest: bool = False,
    ) -> dict[str, str]:
        """Versions by package that meet the requirements, dependencies included unless ``is_alone``.

        ``prefers_lowest`` chooses the lowest versions of what is named. Raises Unresolvable.
        """

    def builds_without_cuda(self, name: str) -> Sequence[str]:
        """The versions of PyTorch's package ``name`` that need no CUDA and can be had beside the index."""

    def avoid_cuda(self) -> None:
        """Take PyTorch's packages from where they are built without CUDA, from now on."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to install. ``changes`` say what differs from what was asked for, ``notes`` what is worth knowing."""

    packages: dict[str, str]
    changes: tuple[str, ...]
    notes: tuple[str, ...]


def choose_python(
    wanted: Wanted, available: Sequence[str], at_hand: str, *, needs_client: bool
) -> tuple[str, list[str], list[str]]:
    """The version of the Python to use, with changes and notes; ``at_hand`` is the node's own. Raises CannotBuild."""
    if wanted.python is None:
        return at_hand, [], []
    version = _nearest_python(wanted.python, [*available, at_hand])
    is_too_old_for_us = _minor(wanted.python) < SCRIPT_PYTHON_MIN
    if not wanted.is_relaxed:
        if is_too_old_for_us:
            raise CannotBuild(
                f"the environment {wanted.name!r} asks for Python {wanted.python}, and scripts here need 3.8 or newer; "
                f"relaxing pins takes {at_hand}"
            )
        if version is None:
            raise CannotBuild(
                f"the environment {wanted.name!r} asks for Python {wanted.python}, which is not on this machine; "
                f"`uv python install {wanted.python}` brings it, or relaxing pins takes {at_hand}"
            )
        notes = []
        if not _is_prefix(wanted.python, version):
            notes.append(f"Python {version} stands for {wanted.python}")
        if needs_client and _minor(version) < CLIENT_PYTHON_MIN:
            notes.append(
                f"inside the script the workspace cannot be reached: that needs Python 3.11, and this is {version}"
            )
        return version, [], notes
    if version is None or is_too_old_for_us:
        return at_hand, [f"Python {at_hand} takes the place of {wanted.python}, which is not on this machine"], []
    if needs_client and _minor(version) < CLIENT_PYTHON_MIN:
        reason = "with which a script cannot reach the workspace"
        return at_hand, [f"Python {at_hand} takes the place of {wanted.python}, {reason}"], []
    changes = [] if _is_prefix(wanted.python, version) else [f"Python {version} takes the place of {wanted.python}"]
    return version, changes, []


def plan(wanted: Wanted, index: Index, *, has_gpu: bool, own_companions: Sequence[str] = ()) -> Plan:
    """The packages to install. ``own_companions`` are those that Sublight would like to find beside the script.

    Raises CannotBuild; what ``index`` raises when it cannot be asked goes through.
    """
    return _Planner(wanted, index, has_gpu=has_gpu).plan([*wanted.companions, *own_companions])


@dataclass
class _Planner:
    wanted: Wanted
    index: Index
    has_gpu: bool = field(kw_only=True)
    changes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    # A version that was asked for is older than what this Python has.
    is_old: bool = False

    def plan(self, companions: Sequence[str]) -> Plan:
        requirements = self._readable()
        if not self.has_gpu:
            requirements = [fixed for one in requirements if (fixed := self._without_cuda(one)) is not None]
        constraints = self._of_the_time(requirements)
        requirements, packages, constraints = self._solve(requirements, constraints)
        requirements, packages = self._transitive_without_cuda(requirements, packages, constraints)
        packages, constraints = self._below_numpy_2(requirements, packages, constraints)
        if constraints and self.wanted.is_relaxed:
            companions = [*companions, *_OF_THE_TIME]
        packages = self._with_companions(requirements, packages, constraints, companions)
        return Plan(packages, tuple(self.changes), tuple(self.notes))

    # -- what is asked for ---------------------------------------------------------------------------------------------

    def _readable(self) -> list[Requirement]:
        found: dict[str, Requirement] = {}
        ours = []
        for line in self.wanted.requirements:
            fault = requirement_fault(line)
            if fault is not None:
                if not self.wanted.is_relaxed:
                    raise CannotBuild(f"the requirement {line!r} cannot be met here: {fault}")
                self.changes.append(f"{line} is left out: {fault}")
                continue
            requirement = Requirement(line)
            if requirement.marker is not None and not requirement.marker.evaluate(self._marker_environment()):
                continue
            requirement.marker = None
            if _is_ours(requirement.name):
                ours.append(requirement.name)
                continue
            self._use_meant_name(requirement)
            known = found.get(canonicalize_name(requirement.name))
            if known is None:
                found[canonicalize_name(requirement.name)] = requirement
            else:
                known.extras |= requirement.extras
                known.specifier &= requirement.specifier
        if ours:
            self.notes.append(f"{', '.join(ours)}: not installed, Sublight brings its own part of it along")
        return list(found.values())

    def _use_meant_name(self, requirement: Requirement) -> None:
        name = meant_name(requirement.name)
        if name != canonicalize_name(requirement.name) and self.wanted.is_relaxed:
            self.changes.append(f"{name} takes the place of {requirement.name}")
            requirement.name = name

    def _marker_environment(self) -> dict[str, str]:
        return {"python_full_version": self.index.python, "python_version": self._short_python}

    @property
    def _short_python(self) -> str:
        return ".".join(self.index.python.split(".")[:2])

    # -- solving -------------------------------------------------------------------------------------------------------

    def _solve(
        self, requirements: list[Requirement], constraints: list[str]
    ) -> tuple[list[Requirement], dict[str, str], list[str]]:
        """Requirements that can be met together, and their packages."""
        packages = self._try(requirements, constraints)
        if packages is None and constraints:
            # The time's versions may have no wheels for a later Python; what was asked for itself counts more.
            packages = self._try(requirements, [])
            if packages is not None:
                return requirements, packages, []
        if packages is not None:
            self._tell_time(constraints)
            return requirements, packages, constraints
        if not self.wanted.is_relaxed:
            raise self._refusal(requirements)
        there = [fixed for one in requirements if (fixed := self._had(one)) is not None]
        constraints = self._of_the_time(requirements)
        for held in (constraints, []) if constraints else ([],):
            packages = self._try(there, held)
            if packages is not None:
                self._tell_time(held)
                return there, packages, held
        for held in (constraints, []) if constraints else ([],):
            together, packages_together, changes = self._together(there, held)
            if len(together) == len(there) or not held:
                break
        self.changes += changes
        self._tell_time(held)
        return together, packages_together, held

    def _try(self, requirements: Iterable[Requirement], constraints: Sequence[str]) -> dict[str, str] | None:
        try:
            return self.index.resolve([str(one) for one in requirements], constraints=constraints)
        except Unresolvable:
            return None

    def _had(self, requirement: Requirement) -> Requirement | None:
        """The requirement, or the nearest to it that has a wheel at all; None when nothing of the package can be had."""
        if self._version_of(requirement) is not None:
            return requirement
        nearest, which = self._nearest(requirement)
        python = f"Python {self._short_python}"
        if nearest is None:
            self.changes.append(f"{requirement.name} is left out: {self._why_not(requirement.name)}")
            return None
        self.changes.append(f"{_shown(requirement)} has no wheel for {python}; {nearest}, {which}, takes its place")
        return _pinned(requirement, nearest)

    def _nearest(self, requirement: Requirement) -> tuple[str | None, str]:
        base = _base(requirement.specifier)
        if base is not None:
            later = self._version_of(_with(requirement, f">={base}"), prefers_lowest=True)
            if later is not None:
                self.is_old = True
                return later, "the nearest later version"
            earlier = self._version_of(_with(requirement, f"<{base}"))
            if earlier is not None:
                return earlier, "the nearest earlier version"
        return self._version_of(_with(requirement, "")), "the newest version"

    def _together(
        self, requirements: list[Requirement], constraints: list[str]
    ) -> tuple[list[Requirement], dict[str, str], list[str]]:
        """Pins first, in their order, each as near as goes with those before it; then what has no pin. With changes."""
        accepted: list[Requirement] = []
        changes: list[str] = []
        packages: dict[str, str] = {}
        ordered = [one for one in requirements if one.specifier] + [one for one in requirements if not one.specifier]
        for requirement in ordered:
            for candidate in self._loosened(requirement, accepted, constraints):
                found = self._try([*accepted, candidate], constraints)
                if found is None:
                    continue
                if candidate is not requirement:
                    version = found.get(canonicalize_name(candidate.name), "any version")
                    changes.append(f"{_shown(requirement)} does not go with the others; {version} takes its place")
                accepted.append(candidate)
                packages = found
                break
            else:
                changes.append(f"{requirement.name} is left out: no version of it goes with the others")
        return accepted, packages, changes

    def _loosened(
        self, requirement: Requirement, accepted: list[Requirement], constraints: list[str]
    ) -> Iterable[Requirement]:
        yield requirement
        base = _base(requirement.specifier)
        if base is None:
            return
        try:
            lines = [*map(str, accepted), str(_with(requirement, f">={base}"))]
            lowest = self.index.resolve(lines, constraints=constraints, prefers_lowest=True)
        except Unresolvable:
            pass
        else:
            yield _pinned(requirement, lowest[canonicalize_name(requirement.name)])
        yield _with(requirement, "")

    def _refusal(self, requirements: list[Requirement]) -> CannotBuild:
        """The error that names the first requirement which cannot be met, with what could be had instead."""
        name = self.wanted.name
        for requirement in requirements:
            if self._version_of(requirement) is not None:
                continue
            nearest, which = self._nearest(requirement)
            begin = f"the environment {name!r} cannot be built:"
            if nearest is None:
                return CannotBuild(f"{begin} {requirement.name}: {self._why_not(requirement.name)}")
            return CannotBuild(
                f"{begin} {_shown(requirement)} has no wheel for Python {self._short_python}; {which} that has one is "
                f"{nearest}, which relaxing pins takes"
            )
        try:
            self.index.resolve([str(one) for one in requirements])
        except Unresolvable as error:
            return CannotBuild(f"the environment {name!r} cannot be built, its packages do not go together: {error}")
        return CannotBuild(f"the environment {name!r} cannot be built; try again")  # the index changed in between

    def _version_of(self, requirement: Requirement, *, prefers_lowest: bool = False) -> str | None:
        try:
            found = self.index.resolve([str(requirement)], is_alone=True, prefers_lowest=prefers_lowest)
        except Unresolvable:
            return None
        return found.get(canonicalize_name(requirement.name))

    def _why_not(self, name: str) -> str:
        try:
            self.index.resolve([name], is_alone=True)
        except Unresolvable as error:
            if error.is_unknown:
                return "the package index does not have it"
        return f"there is no wheel of it for Python {self._short_python}"

    # -- CUDA ----------------------------------------------------------------------------------------------------------

    def _without_cuda(self, requirement: Requirement) -> Requirement | None:
        """PyTorch's packages as a build without CUDA; others as they are."""
        name = canonicalize_name(requirement.name)
        if name not in _TORCH:
            return requirement
        builds = sorted(self.index.builds_without_cuda(name), key=Version)
        if not builds:
            self.index.avoid_cuda()
            return requirement
        fitting = [build for build in builds if requirement.specifier.contains(build, prereleases=True)]
        if fitting:
            self.notes.append(f"{name} {fitting[-1]}: this node has no GPU, so it is the build without CUDA")
            return _pinned(requirement, fitting[-1])
        if not self.wanted.is_relaxed:
            raise CannotBuild(
                f"the environment {self.wanted.name!r} cannot be built: this node has no GPU, and {_shown(requirement)} "
                f"cannot be had here without CUDA; there is {', '.join(builds)}, which relaxing pins takes"
            )
        base = _base(requirement.specifier)
        later = [build for build in builds if base is not None and Version(build) >= base]
        chosen = later[0] if later else builds[-1]
        self.is_old = bool(later)
        self.changes.append(
            f"{_shown(requirement)} cannot be had here without CUDA, and this node has no GPU; {chosen} takes its place"
        )
        return _pinned(requirement, chosen)

    def _transitive_without_cuda(
        self, requirements: list[Requirement], packages: dict[str, str], constraints: list[str]
    ) -> tuple[list[Requirement], dict[str, str]]:
        """The same for a PyTorch that another package asks for."""
        named = {canonicalize_name(one.name) for one in requirements}
        if self.has_gpu or "torch" not in packages or "torch" in named:
            return requirements, packages
        torch = self._without_cuda(Requirement("torch"))
        more = [*requirements, *([torch] if torch is not None else [])]
        found = self._try(more, constraints)
        if found is None:
            raise CannotBuild(
                f"the environment {self.wanted.name!r} cannot be built: this node has no GPU, and the PyTorch that its "
                "packages ask for cannot be had without CUDA"
            )
        return more, found

    # -- what goes with old versions -----------------------------------------------------------------------------------

    def _of_the_time(self, requirements: Sequence[Requirement]) -> list[str]:
        """Limits for those of them that are not pinned, when the environment is of their time."""
        if not self.wanted.is_relaxed:
            return []
        asked = {str(canonicalize_name(one.name)): one for one in requirements}
        is_old = self.is_old or (self.wanted.python is not None and _minor(self.wanted.python) <= (3, 8))
        for name, limit in _BEFORE_REMOVALS.items():
            base = _base(asked[name].specifier) if name in asked else None
            is_old = is_old or (base is not None and base < Version(limit))
        if not is_old:
            return []
        return [
            f"{name}<{limit}"
            for name, limit in _BEFORE_REMOVALS.items()
            if name not in asked or not asked[name].specifier
        ]

    def _tell_time(self, constraints: Sequence[str]) -> None:
        if constraints:
            self.notes.append(
                f"the environment is of a time before some removals, so {', '.join(constraints)} is kept to"
            )

    def _below_numpy_2(
        self, requirements: list[Requirement], packages: dict[str, str], constraints: list[str]
    ) -> tuple[dict[str, str], list[str]]:
        numpy = packages.get("numpy")
        if numpy is None or Version(numpy) < Version("2"):
            return packages, constraints
        early = [
            f"{name} {packages[name]}"
            for name, first in _BUILT_FOR_NUMPY_2.items()
            if name in packages and Version(packages[name]) < Version(first)
        ]
        more = [*constraints, "numpy<2"]
        found = self._try(requirements, more) if early else None
        if found is None:
            return packages, constraints
        self.notes.append(f"numpy {found.get('numpy', '<2')}: {early[0]} was built before NumPy 2")
        return found, more

    def _with_companions(
        self,
        requirements: list[Requirement],
        packages: dict[str, str],
        constraints: list[str],
        companions: Sequence[str],
    ) -> dict[str, str]:
        """The packages with the companions added that leave them as they are."""
        named = {canonicalize_name(one.name) for one in requirements}
        missing = [line for line in companions if canonicalize_name(Requirement(line).name) not in named]
        fixed = [f"{name}=={version}" for name, version in packages.items()]
        for tried in (missing, *([line] for line in missing if len(missing) > 1)):
            if not tried:
                continue
            try:
                packages = self.index.resolve([*fixed, *tried], constraints=constraints)
            except Unresolvable:
                if len(tried) == 1:
                    self.notes.append(
                        f"{tried[0]} does not go with the rest, so what needs it in the script will not work"
                    )
                continue
            if tried is missing:
                break
            fixed = [f"{name}=={version}" for name, version in packages.items()]
        return packages


def _is_ours(name: str) -> bool:
    canonical = canonicalize_name(name)
    return any(canonical == ours or canonical.startswith(f"{ours}-") for ours in _OURS)


def _base(specifier: SpecifierSet) -> Version | None:
    """The version that a specifier circles around: the highest that it names, exclusions aside."""
    versions = []
    for part in specifier:
        if part.operator == "!=":
            continue
        try:
            versions.append(Version(part.version.removesuffix(".*")))
        except InvalidVersion:  # ``===`` takes any text
            continue
    return max(versions, default=None)


def _shown(requirement: Requirement) -> str:
    """``numpy 1.18.5`` for a pin, the requirement itself otherwise."""
    parts = list(requirement.specifier)
    if len(parts) == 1 and parts[0].operator == "==":
        return f"{requirement.name} {parts[0].version}"
    return f"{requirement.name}{requirement.specifier}"


def _with(requirement: Requirement, specifier: str) -> Requirement:
    changed = Requirement(str(requirement))
    changed.specifier = SpecifierSet(specifier)
    return changed


def _pinned(requirement: Requirement, version: str) -> Requirement:
    return _with(requirement, f"=={version}")


def _minor(version: str) -> tuple[int, int]:
    numbers = [int(part) for part in version.split(".")[:2]]
    return (numbers[0], numbers[1]) if len(numbers) > 1 else (numbers[0], 99)


def _is_prefix(wanted: str, version: str) -> bool:
    parts = wanted.split(".")
    return version.split(".")[: len(parts)] == parts


def _nearest_python(wanted: str, available: Sequence[str]) -> str | None:
    """The version itself, else the newest of the same minor version (any of ``3``), else None."""
    exact = [version for version in available if _is_prefix(wanted, version)]
    same = exact or [version for version in available if _is_prefix(".".join(wanted.split(".")[:2]), version)]
    return max(same, key=Version, default=None)


def check_buildable(wanted: Wanted) -> None:
    """Raise InvalidInput for a Python that no node can offer, before anything is queued."""
    if wanted.python is not None and _minor(wanted.python) < SCRIPT_PYTHON_MIN and not wanted.is_relaxed:
        raise InvalidInput(
            f"the environment {wanted.name!r} asks for Python {wanted.python}, and scripts here need 3.8 or newer; relax "
            "its pins, or ask for a newer one"
        )
