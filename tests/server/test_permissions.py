"""Who may do what: the one table, over the routes that the app really has."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette

from sublight.server.permissions import (
    PERMISSIONS_OF_ROLE,
    ROUTES,
    Permission,
    Role,
    missing_routes,
    permission_of,
)
from tests.server.world import HOST, World

STREAM = ("GET", "/api/v1/changes")  # answers for as long as somebody listens
SHARED_NODE = "cpu-1111"


@pytest.fixture(scope="module")
def one_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One workspace for the many questions that change nothing."""
    world = World(tmp_path_factory.mktemp("permissions"))
    yield world
    world.close()


def address(template: str) -> str:
    return re.sub(r"\{[^}]*\}", "x-1", template)


def test_every_route_of_the_app_is_in_the_table(one_world: World) -> None:
    assert missing_routes(one_world.app) == []


def test_every_rule_of_the_table_belongs_to_a_route_of_the_app(one_world: World) -> None:
    from fastapi.routing import iter_route_contexts

    real = {
        (method, re.sub(r"\{[^}]*\}", "{}", context.path or ""))
        for context in iter_route_contexts(one_world.app.routes)
        for method in context.methods or ()
    }

    assert {(method, re.sub(r"\{[^}]*\}", "{}", path)) for method, path in ROUTES} - real == set()


def test_a_route_that_the_table_does_not_know_is_named() -> None:
    app = FastAPI(openapi_url=None)
    router = APIRouter()
    router.add_api_route("/health", lambda: 1)
    router.add_api_route("/api/v1/backdoor", lambda: 1, methods=["POST"])
    app.include_router(router)
    app.mount("/other", Starlette())

    assert missing_routes(app) == ["POST /api/v1/backdoor", "Mount /other"]


def test_a_router_that_is_included_with_a_prefix_is_named() -> None:
    app = FastAPI(openapi_url=None)
    router = APIRouter()
    router.add_api_route("/health", lambda: 1)
    app.include_router(router, prefix="/secret")

    assert "/secret/health: its router is included with a prefix" in missing_routes(app)[0]


def test_a_route_outside_the_table_is_refused_even_to_an_owner(own_world: World) -> None:
    own_world.app.add_api_route("/api/v1/backdoor", lambda: "open")

    answer = own_world.client("olga", "owner").get("/api/v1/backdoor")

    assert answer.status_code == 403


@pytest.mark.parametrize(("method", "path"), sorted(ROUTES))
def test_nobody_gets_in_without_credentials_except_to_the_public_addresses(
    one_world: World, method: str, path: str
) -> None:
    status = one_world.ask(method, address(path))

    if ROUTES[method, path].permission is Permission.PUBLIC:
        assert status != 401 or method == "POST"  # signing in with nothing is refused by the page itself
    else:
        assert status == 401


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/runs/xhealth",
        "/api/x/ready",
        "/api/v1/runs/health",
        "/api/v1/runs/../../../health",
        "/static/../api/v1/runs",
        "/static/a/b/../../../api/v1/runs",
        "/health/",
        "//health",
        "/health/../api/v1/runs",
        "/HEALTH",
        "/health\n",
        "/login/x",
        "/openapi.json",
        "/api/v1/openapi.json",
        "/docs",
        "/metrics",
        "/nothing/here",
    ],
)
def test_only_the_exact_public_addresses_are_open(one_world: World, path: str) -> None:
    assert one_world.ask("GET", path) == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer "},
        {"authorization": "Bearer sl_" + "A" * 43},
        {"authorization": "Basic b2xnYTpvbGdh"},
        {"authorization": "Bearer " + "x" * 100_000},
        {"cookie": "COOKIE=sls_wrong"},
        {"user-agent": "Mozilla/5.0"},
        {"x-forwarded-user": "olga"},
    ],
)
def test_a_request_with_wrong_credentials_is_refused(one_world: World, headers: dict[str, str]) -> None:
    named = {name: value.replace("COOKIE", one_world.cookie) for name, value in headers.items()}
    assert one_world.ask("GET", "/api/v1/runs", named) == 401


def test_a_token_in_the_address_is_no_credential(world: World) -> None:
    token = world.token("olga", "owner")
    client = world.client()

    assert client.get("/api/v1/runs", params={"token": token, "access_token": token}).status_code == 401


def test_a_wrong_token_is_not_made_good_by_a_valid_session(world: World) -> None:
    browser, _ = world.browser("olga", "owner")

    assert browser.get("/api/v1/runs", headers={"Authorization": "Bearer wrong"}).status_code == 401


@pytest.mark.parametrize("role", list(Role))
def test_each_role_may_do_what_the_table_says_and_nothing_else(one_world: World, role: Role) -> None:
    client = one_world.client(f"the-{role.replace(' ', '-')}", role)

    for (method, path), rule in ROUTES.items():
        if (method, path) == STREAM or rule.permission is Permission.PUBLIC:
            continue
        allowed = rule.permission in PERMISSIONS_OF_ROLE[role]
        status = client.request(method, address(path)).status_code
        assert (status != 403) == allowed, (method, path, status)
        assert status < 500, (method, path, status)


@pytest.mark.parametrize(
    ("method", "path", "reader", "scientist", "operator"),
    [
        ("GET", "/api/v1/runs", True, True, True),
        ("POST", "/api/v1/runs", False, True, False),
        ("POST", "/api/v1/runs/x/cancel", False, True, False),
        ("PATCH", "/api/v1/runs/x", False, True, False),
        ("POST", "/api/v1/snapshots", False, True, False),
        ("PUT", "/api/v1/blobs/x", False, True, False),
        ("POST", "/api/v1/clusters", False, False, True),
        ("PATCH", "/api/v1/clusters/x", False, False, True),
        ("DELETE", "/api/v1/clusters/x", False, False, True),
        ("GET", "/api/v1/clusters", True, True, True),
        ("GET", "/api/v1/people", False, False, False),
        ("PATCH", "/api/v1/people/x", False, False, False),
        ("GET", "/api/v1/audit", False, False, False),
        ("POST", "/api/v1/shutdown", False, False, False),
        ("POST", "/runs/x/cancel", False, True, False),
    ],
)
def test_the_roles_mean_what_their_names_promise(
    method: str, path: str, reader: bool, scientist: bool, operator: bool
) -> None:
    permission = permission_of(method, re.sub(r"/x\b", "/{x}", path))

    assert permission is not None
    assert (permission in PERMISSIONS_OF_ROLE[Role.READER]) == reader
    assert (permission in PERMISSIONS_OF_ROLE[Role.DATA_SCIENTIST]) == scientist
    assert (permission in PERMISSIONS_OF_ROLE[Role.COMPUTE_OPERATOR]) == operator
    assert permission in PERMISSIONS_OF_ROLE[Role.OWNER]


def test_a_refusal_says_which_role_is_needed_which_one_has_and_whom_to_ask(world: World) -> None:
    answer = world.client("ann", "data scientist").post("/api/v1/clusters", json={"name": "c", "size": "NC6"})

    assert answer.json() == {
        "code": "not_allowed",
        "message": "creating a cluster needs the role compute operator; you (ann) have: data scientist. "
        "Ask an owner of the workspace.",
    }


def test_roles_add_up(world: World) -> None:
    both = world.client("ann", "data scientist", "compute operator")

    assert both.post("/api/v1/clusters", json={}).status_code == 400
    assert both.post("/api/v1/runs", json={}).status_code == 400


def test_a_node_may_make_its_own_calls_only(one_world: World) -> None:
    headers = {"authorization": f"Bearer {one_world.node_token(SHARED_NODE)}"}

    assert one_world.ask("GET", f"/api/v1/nodes/{SHARED_NODE}/orders", headers) != 403
    for (method, path), rule in ROUTES.items():
        if rule.permission is not Permission.PUBLIC and (method, path) != STREAM:
            # also under the id of another node
            assert one_world.ask(method, address(path), headers) == 403, (method, path)
    assert one_world.ask("GET", "/api/v1/openapi.json", headers) == 403
    assert one_world.ask("GET", "/nothing", headers) == 403


def test_a_revoked_node_is_out_at_once(world: World) -> None:
    headers = {"authorization": f"Bearer {world.node_token('cpu-1')}"}
    before = world.ask("GET", "/api/v1/nodes/cpu-1/orders", headers)

    with world.database.write() as connection:
        world.people.revoke_node_tokens(connection, "cpu-1")

    assert before != 401
    assert world.ask("GET", "/api/v1/nodes/cpu-1/orders", headers) == 401


def test_people_do_not_speak_for_nodes(one_world: World) -> None:
    headers = {"authorization": f"Bearer {one_world.token('olga', 'owner')}"}

    assert one_world.ask("GET", f"/api/v1/nodes/{SHARED_NODE}/orders", headers) == 403


def test_a_websocket_is_closed_unheard(one_world: World) -> None:
    import asyncio

    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/api/v1/changes", "headers": [(b"host", HOST.encode())]}
    asyncio.run(one_world.app(scope, receive, send))  # type: ignore[arg-type]

    assert sent == [{"type": "websocket.close", "code": 1008}]
