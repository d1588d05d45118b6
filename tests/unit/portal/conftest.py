"""A portal over sample services, as a test client of a given role sees it."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest

from tests.unit.portal.portal_sample import SampleServices, sample_app

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # starlette asks for another client library than the one we have
    from starlette.testclient import TestClient


@pytest.fixture
def services(tmp_path) -> SampleServices:
    return SampleServices(folder=tmp_path)


@pytest.fixture
def client_of() -> Callable[..., TestClient]:
    def make(services: SampleServices, role: str | None = "owner") -> TestClient:
        app = sample_app(services, role)
        return TestClient(app, follow_redirects=False, headers={"Accept": "text/html"})

    return make


@pytest.fixture
def client(services, client_of) -> TestClient:
    return client_of(services)
