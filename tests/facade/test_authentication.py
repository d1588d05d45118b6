"""Logins: all can be made, none goes to the network, and headers carry the Sublight token."""

from __future__ import annotations

import time
from typing import Any

import pytest

from azureml.core.authentication import (
    ArmTokenAuthentication,
    Audience,
    AzureCliAuthentication,
    AzureMLTokenAuthentication,
    InteractiveLoginAuthentication,
    MsiAuthentication,
    ServicePrincipalAuthentication,
    TokenAuthentication,
)
from azureml.exceptions import AuthenticationException
from tests.facade.surface import names, problems

SUBLIGHT = [
    InteractiveLoginAuthentication(),
    InteractiveLoginAuthentication(force=True, tenant_id="t"),
    AzureCliAuthentication(),
    MsiAuthentication(identity_config={"client_id": "x"}),
    ServicePrincipalAuthentication("tenant", "id", "password"),
]


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBLIGHT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("SUBLIGHT_TOKEN", "slt_abc")


@pytest.mark.parametrize(("module", "name"), names("azureml.core.authentication"))
def test_a_login_has_the_original_s_constructor_and_members(module: str, name: str) -> None:
    assert problems(module, name) == []


@pytest.mark.parametrize("login", SUBLIGHT, ids=lambda login: type(login).__name__)
def test_the_header_carries_the_sublight_token(login: Any) -> None:
    assert login.get_authentication_header() == {"Authorization": "Bearer slt_abc"}
    token = login.get_token("https://management.azure.com/.default")
    assert token.token == "slt_abc"
    assert token.expires_on > time.time()


def test_without_any_workspace_there_is_no_token(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUBLIGHT_URL")
    monkeypatch.delenv("SUBLIGHT_TOKEN")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(AuthenticationException, match="no Sublight token"):
        AzureCliAuthentication().get_authentication_header()


def test_tokens_that_the_script_brings_are_its_own() -> None:
    arm = ArmTokenAuthentication("one")
    arm.update_arm_access_token("two")
    run = AzureMLTokenAuthentication.create("three", None, None, None, None, None, None, None)
    run.set_token("four", None)
    asked: list[Audience] = []

    def give(audience: Audience) -> str:
        asked.append(audience)
        return "five"

    assert arm.get_authentication_header() == {"Authorization": "Bearer two"}
    assert (run.token, run.expiry_time) == ("four", None)
    assert TokenAuthentication(give).get_authentication_header() == {"Authorization": "Bearer five"}
    assert asked == [Audience.ARM]


def test_a_session_gets_the_header() -> None:
    class Session:
        headers: dict[str, str] = {}  # noqa: RUF012

    assert AzureCliAuthentication().signed_session(Session()).headers == {"Authorization": "Bearer slt_abc"}
