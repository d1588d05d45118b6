"""Whether a run uses the Python that is there or one that its environment describes, as the workspace's setting says.

The setting is ``environments`` in the workspace's ``.sublight/settings.json``, which the server reads when it starts:
``current`` (the default), ``build``, or ``relax``, which builds with the nearest that can be had.
``AZUREML_FACADE_ENVIRONMENTS`` says it for the submissions of a program.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azureml.core.conda_dependencies import CREATE_PYTHON_VERSION, PYTHON_DEFAULT_VERSION, package_name
from azureml.exceptions import UserErrorException

if TYPE_CHECKING:
    from azureml.core.environment import Environment
    from azureml.core.workspace import Workspace
    from sublight import Environment as BuiltEnvironment

VARIABLE = "AZUREML_FACADE_ENVIRONMENTS"
CHOICES = ("current", "build", "relax")

# What the parts of the facade need that read data inside a run.
_DATA_PACKAGES = ("numpy", "pandas", "pyarrow", "pyyaml", "ruamel.yaml")
_PYTHONS_OF_THE_SDK = (PYTHON_DEFAULT_VERSION, CREATE_PYTHON_VERSION)
_NO_PACKAGES_OF_THEIR_OWN = frozenset({"python", "pip"})


@dataclass(frozen=True, slots=True)
class Choice:
    """The environment to build, or None for ``current``; ``notes`` are for the run's log, ``warnings`` also for people."""

    environment: BuiltEnvironment | None
    notes: list[str]
    warnings: list[str]


def choose_environment(environment: Environment, workspace: Workspace) -> Choice:
    """What becomes of ``environment`` in this workspace. Raises UserErrorException for a setting or list that is wrong."""
    setting = _setting(workspace)
    if setting == "current":
        return _current(environment, "is not built")
    dependencies = environment.python.conda_dependencies
    if environment.python.user_managed_dependencies or dependencies is None:
        return _current(environment, "names no packages, because it leaves them to its image")
    names = [package_name(item) for item in (*dependencies.conda_packages, *dependencies.pip_packages)]
    if all(name in _NO_PACKAGES_OF_THEIR_OWN or (name or "").startswith("azureml-") for name in names):
        return _current(environment, "names no packages, so there is nothing to build")
    return _built(environment, dependencies.as_dict(), is_relaxed=setting == "relax")


def _setting(workspace: Workspace) -> str:
    own = os.environ.get(VARIABLE, "").strip().lower()
    if own and own not in CHOICES:
        raise UserErrorException(f"{VARIABLE} must be current, build or relax, got {own!r}")
    return own or str(workspace._sdk.details.environments)


def _current(environment: Environment, why: str) -> Choice:
    from azureml._installed_packages import notes_on_packages
    from azureml.core.environment import packages_of

    packages = notes_on_packages(packages_of(environment))
    first = (
        f"This run uses the Python that is there (environment 'current'); the environment {environment.name!r} {why}."
    )
    return Choice(None, [first, *packages], packages)


def _built(environment: Environment, document: dict[str, Any], *, is_relaxed: bool) -> Choice:
    from azureml._submission import submission_errors
    from sublight import Environment as BuiltEnvironment

    notes = [
        f"This run has the environment {environment.name!r}, built on its node"
        + (" with the nearest that can be had; every change stands at the begin of this log." if is_relaxed else ".")
    ]
    python = (
        environment.python.conda_dependencies.get_python_version() if environment.python.conda_dependencies else None
    )
    if python in _PYTHONS_OF_THE_SDK:
        # Nobody wrote it: it is what the SDK put into every list.
        document = {**document, "dependencies": [one for one in document["dependencies"] if not _is_python(one)]}
        notes.append(f"Python {python} was the default of the SDK and no wish, so it is that of the node.")
    with submission_errors():
        built = BuiltEnvironment.from_conda(
            document,
            name=environment.name,
            relax_pins=is_relaxed,
            companions=_DATA_PACKAGES,
            place=f"the environment {environment.name!r}",
        )
    return Choice(built, notes, [])


def _is_python(item: Any) -> bool:
    return not isinstance(item, dict) and package_name(str(item)) == "python"
