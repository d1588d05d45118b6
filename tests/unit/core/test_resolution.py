from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.version import Version

from sublight.core.resolution import CannotBuild, Plan, Unresolvable, choose_python, plan


@dataclass(frozen=True)
class Asked:
    requirements: Sequence[str] = ()
    python: str | None = None
    companions: Sequence[str] = ()
    is_relaxed: bool = True
    name: str = "mine"


# package → version → what that version needs
Packages = Mapping[str, Mapping[str, Sequence[str]]]

OLD_STACK: Packages = {
    "numpy": {"1.23.2": [], "1.23.5": [], "1.26.4": [], "2.4.0": []},
    "pandas": {"1.5.0": ["numpy>=1.21"], "1.5.3": ["numpy>=1.21"], "2.3.0": ["numpy>=1.26"], "3.1.0": ["numpy>=2"]},
    "scikit-learn": {"1.1.3": ["numpy", "joblib"], "1.9.0": ["numpy>=2", "joblib"]},
    "joblib": {"1.0.0": [], "1.3.2": [], "1.6.0": []},
    "torch": {"2.14.0": ["nvidia-cuda"]},
    "nvidia-cuda": {"13": []},
    "msgspec": {"0.22.0": []},
    "only-later": {"2.0": ["numpy>=2"]},
    "setuptools": {"80.0": [], "84.0": []},
}


class FakeIndex:
    """Tries versions newest first, as a resolver does; small enough to try them all."""

    python = "3.11.7"

    def __init__(self, packages: Packages = OLD_STACK, builds: Mapping[str, Sequence[str]] | None = None) -> None:
        self._packages = packages
        self._builds = builds or {}
        self.avoids_cuda = False

    def resolve(
        self,
        requirements: Sequence[str],
        *,
        constraints: Sequence[str] = (),
        is_alone: bool = False,
        prefers_lowest: bool = False,
    ) -> dict[str, str]:
        for line in requirements:
            if Requirement(line).name not in {*self._packages, *self._builds}:
                raise Unresolvable(f"{line} was not found", is_unknown=True)
        found = self._search([Requirement(line) for line in requirements], {}, constraints, is_alone, prefers_lowest)
        if found is None:
            raise Unresolvable("these do not go together")
        return found

    def builds_without_cuda(self, name: str) -> Sequence[str]:
        return self._builds.get(name, [])

    def avoid_cuda(self) -> None:
        self.avoids_cuda = True

    def _search(
        self,
        asked: list[Requirement],
        chosen: dict[str, str],
        constraints: Sequence[str],
        is_alone: bool,
        prefers_lowest: bool,
    ) -> dict[str, str] | None:
        if not asked:
            return chosen
        one, rest = asked[0], asked[1:]
        limits = [Requirement(line).specifier for line in constraints if Requirement(line).name == one.name]
        versions = [chosen[one.name]] if one.name in chosen else self._versions(one.name)
        for version in versions if prefers_lowest else reversed(versions):
            fits = all(limit.contains(version, prereleases=True) for limit in (one.specifier, *limits))
            if not fits:
                continue
            needs = () if is_alone else self._packages.get(one.name, {}).get(version, ())
            more = [Requirement(line) for line in needs] if one.name not in chosen else []
            found = self._search([*rest, *more], {**chosen, one.name: version}, constraints, is_alone, False)
            if found is not None:
                return found
        return None

    def _versions(self, name: str) -> list[str]:
        return sorted({*self._packages.get(name, {}), *self._builds.get(name, [])}, key=Version)


def made(requirements: Sequence[str], *, is_relaxed: bool = True, has_gpu: bool = False, **values: object) -> Plan:
    index = values.pop("index", None) or FakeIndex()
    asked = Asked(requirements, is_relaxed=is_relaxed, **values)  # type: ignore[arg-type]
    return plan(asked, index, has_gpu=has_gpu)  # type: ignore[arg-type]


@pytest.mark.parametrize("is_relaxed", [True, False])
def test_what_can_be_had_is_taken_as_it_is_asked_for(is_relaxed: bool) -> None:
    planned = made(["numpy==1.26.4", "joblib<1.5"], is_relaxed=is_relaxed)

    assert planned.packages == {"numpy": "1.26.4", "joblib": "1.3.2"}
    assert planned.changes == ()


def test_a_version_without_a_wheel_gives_way_to_the_nearest_later_one() -> None:
    planned = made(["numpy==1.18.5", "scikit-learn==0.22.2"])

    assert planned.packages["numpy"] == "1.23.2"
    assert planned.packages["scikit-learn"] == "1.1.3"
    assert planned.changes == (
        "numpy 1.18.5 has no wheel for Python 3.11; 1.23.2, the nearest later version, takes its place",
        "scikit-learn 0.22.2 has no wheel for Python 3.11; 1.1.3, the nearest later version, takes its place",
    )


def test_without_a_later_version_the_nearest_earlier_one_takes_its_place() -> None:
    planned = made(["joblib==9.9"])

    assert planned.packages == {"joblib": "1.6.0"}
    assert "the nearest earlier version" in planned.changes[0]


def test_a_package_that_the_index_does_not_have_is_left_out() -> None:
    planned = made(["joblib", "unheard-of==1.0"])

    assert planned.packages == {"joblib": "1.6.0"}
    assert planned.changes == ("unheard-of is left out: the package index does not have it",)


def test_pins_that_do_not_go_together_are_loosened_in_their_order() -> None:
    planned = made(["numpy==1.23.5", "pandas==3.1.0"])

    assert planned.packages["numpy"] == "1.23.5"
    assert planned.packages["pandas"] == "1.5.3"
    assert planned.changes == ("pandas 3.1.0 does not go with the others; 1.5.3 takes its place",)


def test_a_pin_is_loosened_to_the_next_version_that_goes_with_the_others() -> None:
    planned = made(["only-later==2.0", "numpy==1.23.5"])

    assert planned.packages["numpy"] == "2.4.0"
    assert planned.changes == ("numpy 1.23.5 does not go with the others; 2.4.0 takes its place",)


def test_files_addresses_and_options_are_left_out() -> None:
    planned = made(["git+https://example.org/x", "joblib"])

    assert planned.packages == {"joblib": "1.6.0"}
    assert "git+https://example.org/x is left out" in planned.changes[0]


def test_our_own_packages_are_never_taken_from_the_index() -> None:
    planned = made(["azureml-defaults", "azureml-sdk[notebooks]==1.0", "sublight", "joblib"], is_relaxed=False)

    assert planned.packages == {"joblib": "1.6.0"}
    assert "azureml-defaults" in planned.notes[0]


def test_what_is_meant_takes_the_place_of_a_mistaken_name() -> None:
    planned = made(["sklearn"])

    assert "scikit-learn" in planned.packages
    assert planned.changes == ("scikit-learn takes the place of sklearn",)


def test_a_requirement_for_another_python_is_passed_over() -> None:
    assert made(['unheard-of; python_version < "3.7"', "joblib"], is_relaxed=False).packages == {"joblib": "1.6.0"}


def test_packages_of_an_old_time_keep_the_others_of_that_time() -> None:
    planned = made(["scikit-learn==0.22.2", "pandas"])

    assert planned.packages == {
        "scikit-learn": "1.1.3",
        "pandas": "1.5.3",
        "numpy": "1.23.5",
        "joblib": "1.6.0",
        "setuptools": "80.0",
    }
    assert any("numpy<1.24" in note for note in planned.notes)


def test_any_pin_that_is_older_than_this_python_says_of_what_time_an_environment_is() -> None:
    assert made(["joblib==0.9", "pandas"]).packages == {
        "joblib": "1.0.0",
        "pandas": "1.5.3",
        "numpy": "1.23.5",
        "setuptools": "80.0",
    }


def test_numpy_stays_below_2_for_packages_that_were_built_before_it() -> None:
    planned = made(["scikit-learn==1.1.3"], is_relaxed=False)

    assert planned.packages["numpy"] == "1.26.4"
    assert planned.notes == ("numpy 1.26.4: scikit-learn 1.1.3 was built before NumPy 2",)


@pytest.mark.parametrize(
    ("requirements", "words"),
    [
        (["joblib", "numpy==1.18.5"], ["numpy 1.18.5 has no wheel for Python 3.11", "is 1.23.2", "relaxing pins"]),
        (["unheard-of"], ["unheard-of: the package index does not have it"]),
        (["numpy==1.23.5", "pandas==3.1.0"], ["do not go together"]),
    ],
)
def test_without_relaxing_the_error_names_the_package(requirements: list[str], words: list[str]) -> None:
    with pytest.raises(CannotBuild) as error:
        made(requirements, is_relaxed=False)

    for word in words:
        assert word in str(error.value)


# -- CUDA --------------------------------------------------------------------------------------------------------------

BUILDS = {"torch": ["2.12.0+cpu", "2.13.0+cpu"]}
NEEDS_TORCH: Packages = {**OLD_STACK, "fastai": {"3.0": ["torch"]}}


def test_a_node_without_gpus_gets_the_build_of_torch_without_cuda() -> None:
    planned = made(["torch"], index=FakeIndex(builds=BUILDS), is_relaxed=False)

    assert planned.packages == {"torch": "2.13.0+cpu"}
    assert planned.changes == ()
    assert "without CUDA" in planned.notes[0]


def test_a_node_with_gpus_gets_the_build_for_them() -> None:
    planned = made(["torch"], index=FakeIndex(builds=BUILDS), has_gpu=True)

    assert planned.packages == {"torch": "2.14.0", "nvidia-cuda": "13"}


def test_a_pin_of_torch_gives_way_to_a_build_without_cuda() -> None:
    planned = made(["torch==1.4.0"], index=FakeIndex(builds=BUILDS))

    assert planned.packages["torch"] == "2.12.0+cpu"
    assert "torch 1.4.0 cannot be had here without CUDA" in planned.changes[0]


def test_a_pin_of_torch_that_has_no_build_without_cuda_is_an_error_without_relaxing() -> None:
    with pytest.raises(CannotBuild, match=r"torch 1\.4\.0 cannot be had here without CUDA; there is 2\.12\.0\+cpu"):
        made(["torch==1.4.0"], index=FakeIndex(builds=BUILDS), is_relaxed=False)


def test_torch_that_another_package_needs_comes_without_cuda_too() -> None:
    planned = made(["fastai"], index=FakeIndex(NEEDS_TORCH, builds=BUILDS), is_relaxed=False)

    assert planned.packages == {"fastai": "3.0", "torch": "2.13.0+cpu"}


def test_without_builds_at_hand_the_index_is_told_to_avoid_cuda() -> None:
    index = FakeIndex()
    made(["torch"], index=index)

    assert index.avoids_cuda


# -- companions --------------------------------------------------------------------------------------------------------


def test_companions_are_added_where_they_leave_the_others_as_they_are() -> None:
    planned = made(["numpy==1.26.4"], companions=["msgspec", "only-later"])

    assert planned.packages == {"numpy": "1.26.4", "msgspec": "0.22.0"}
    assert planned.changes == ()
    assert any("only-later does not go with the rest" in note for note in planned.notes)


def test_a_companion_that_was_asked_for_stays_as_it_was_asked_for() -> None:
    assert made(["joblib==1.0.0"], companions=["joblib>=1.3"]).packages == {"joblib": "1.0.0"}


# -- Python ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "version", "words"),
    [
        (None, "3.11.7", ""),
        ("3", "3.12.1", ""),
        ("3.8", "3.8.18", ""),
        ("3.8.13", "3.8.18", "3.8.18 takes the place of 3.8.13"),
        ("3.9", "3.11.7", "not on this machine"),
        ("3.6.2", "3.11.7", "3.11.7 takes the place of 3.6.2"),
    ],
)
def test_a_python_that_is_not_there_gives_way_to_the_one_at_hand(wanted: str | None, version: str, words: str) -> None:
    asked = Asked(python=wanted)
    chosen, changes, _ = choose_python(asked, ["3.6.15", "3.8.18", "3.12.1"], "3.11.7", needs_client=False)

    assert chosen == version
    assert words in "".join(changes)
    assert bool(changes) == bool(words)


def test_a_script_that_needs_the_workspace_gets_a_python_with_which_it_reaches_it() -> None:
    chosen, changes, _ = choose_python(Asked(python="3.8"), ["3.8.18"], "3.11.7", needs_client=True)

    assert chosen == "3.11.7"
    assert "cannot reach the workspace" in changes[0]


@pytest.mark.parametrize(("wanted", "words"), [("3.9", "uv python install 3.9"), ("3.6", "need 3.8 or newer")])
def test_without_relaxing_a_python_that_is_not_there_is_an_error(wanted: str, words: str) -> None:
    with pytest.raises(CannotBuild, match=words):
        choose_python(Asked(python=wanted, is_relaxed=False), ["3.6.15", "3.8.18"], "3.11.7", needs_client=False)


# -- every environment -------------------------------------------------------------------------------------------------

_LINES = [
    f"{name}{sign}{version}"
    for name, (sign, version) in itertools.product(
        ["numpy", "pandas", "scikit-learn", "joblib", "only-later", "unheard-of"],
        [("", ""), ("==", "1.0"), ("==", "1.5.3"), ("==", "2.0"), (">=", "1.2"), ("<", "1.24"), ("==", "7")],
    )
]


@given(st.lists(st.sampled_from(_LINES), unique=True, max_size=5))
def test_relaxing_always_comes_to_an_end_and_says_every_change(lines: list[str]) -> None:
    planned = made(lines)

    for line in lines:
        requirement = Requirement(line)
        version = planned.packages.get(requirement.name)
        is_kept = version is not None and requirement.specifier.contains(version, prereleases=True)
        assert is_kept or any(requirement.name in change for change in planned.changes), (line, planned)
    assert made(lines) == planned


@given(st.lists(st.sampled_from(_LINES), unique=True, max_size=5))
def test_an_exact_plan_is_what_was_asked_for_or_an_error(lines: list[str]) -> None:
    try:
        planned = made(lines, is_relaxed=False)
    except CannotBuild:
        return
    assert planned.changes == ()
    for line in lines:
        assert Requirement(line).specifier.contains(planned.packages[Requirement(line).name], prereleases=True)
