"""What users import from ``sublight``: every promised name is there, documented, and cheap to reach."""

from __future__ import annotations

import subprocess
import sys

import pytest

import sublight

PUBLIC = {
    "__version__",
    "run",
    "Workspace", "Cluster", "Run", "Script", "Sweep", "Environment",
    "choice", "randint", "uniform", "quniform", "loguniform", "qloguniform", "normal", "qnormal", "lognormal", "qlognormal",
    "Random", "Grid", "Sobol", "Bayesian",
    "Bandit", "MedianStopping", "TruncationSelection", "NoTermination",
    "maximize", "minimize",
    "SublightError",
    "InvalidInput", "NotFound", "NameTaken", "Conflict", "NotAllowed", "NotAuthenticated", "TooLarge", "ServerUnavailable",
}  # fmt: skip


def test_the_door_shows_exactly_the_promised_names() -> None:
    assert set(sublight.__all__) == PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC - {"__version__"}))
def test_a_public_name_exists_and_says_what_it_means(name: str) -> None:
    assert (getattr(sublight, name).__doc__ or "").strip(), f"sublight.{name} has no docstring"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        _ = sublight.nope


@pytest.mark.parametrize("statement", ["import sublight", "from sublight import run"])
def test_the_light_doors_load_nothing_heavy(statement: str) -> None:
    """A training script must not pay for our server; counted in modules, because a timing would depend on the machine."""
    code = f"{statement}; import sys; print(*sorted({{m.partition('.')[0] for m in sys.modules}}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    heavy = {
        "fastapi",
        "pydantic",
        "sqlalchemy",
        "httpx",
        "msgspec",
        "optuna",
        "numpy",
        "rich",
        "typer",
        "plotly",
        "asyncio",
    }
    assert heavy.isdisjoint(loaded)
