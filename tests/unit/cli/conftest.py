from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from sublight.cli.main import main
from sublight.sdk.workspace import Workspace
from tests.unit.sdk.fake_server import FakeServer


@dataclass(frozen=True)
class Outcome:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


Sublight = Callable[..., Outcome]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    """A scripted server that every command talks to."""
    fake = FakeServer()
    monkeypatch.setattr(Workspace, "from_config", lambda path=None: Workspace(client=fake.client()))
    return fake


@pytest.fixture
def sublight(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Sublight:
    """Run the command line in this process: ``sublight("run", "list")``."""

    def call(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["sublight", *arguments])
        code = main()
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call
