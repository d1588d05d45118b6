"""What keeps other sites' pages, other host names and oversized requests out."""

from __future__ import annotations

from pathlib import Path

import pytest

from sublight.server.auth import safe_next
from tests.server.world import HOST, ORIGIN, World

SNAPSHOT = {"files": []}


# -- other sites ----------------------------------------------------------------------------------------------------------


def test_a_session_changes_things_with_the_token_of_its_pages(world: World) -> None:
    browser, csrf = world.browser("ann", "data scientist")

    by_header = browser.post("/api/v1/snapshots", json=SNAPSHOT, headers={"X-CSRF-Token": csrf, "Origin": ORIGIN})
    by_field = browser.post("/logout", data={"csrf": csrf}, headers={"Sec-Fetch-Site": "same-origin"})

    assert by_header.status_code == 200
    assert by_field.status_code == 303


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("token", ["", "wrong", "of another session"])
def test_without_that_token_a_session_changes_nothing(world: World, method: str, token: str) -> None:
    browser, _ = world.browser("olga", "owner")
    if token == "of another session":
        _, token = world.browser("olga")
    path = {
        "POST": "/api/v1/people",
        "PUT": "/api/v1/blobs/x",
        "PATCH": "/api/v1/people/a",
        "DELETE": "/api/v1/people/a",
    }

    answer = browser.request(method, path[method], json={}, headers={"X-CSRF-Token": token} if token else {})

    assert answer.status_code == 403
    assert "reload the page" in answer.json()["message"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": f"https://evil.example#{HOST}"},
        {"Origin": f"http://{HOST}.evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_site_changes_nothing_even_with_the_token(world: World, headers: dict[str, str]) -> None:
    browser, csrf = world.browser("ann", "data scientist")

    answer = browser.post("/api/v1/snapshots", json=SNAPSHOT, headers={"X-CSRF-Token": csrf, **headers})

    assert answer.status_code == 403
    assert "another site" in answer.json()["message"]


def test_a_form_of_our_own_pages_counts_even_where_the_browser_hides_its_origin(world: World) -> None:
    browser, csrf = world.browser("ann", "reader")

    answer = browser.post("/logout", data={"csrf": csrf}, headers={"Origin": "null", "Sec-Fetch-Site": "same-origin"})

    assert answer.status_code == 303


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_plain_form_cannot_speak_for_a_session(world: World, content_type: str) -> None:
    browser, _ = world.browser("ann", "data scientist")

    answer = browser.post("/api/v1/snapshots", content=b'{"files": []}', headers={"Content-Type": content_type})

    assert answer.status_code in (400, 403)


def test_a_page_of_another_site_cannot_sign_people_in(world: World) -> None:
    answer = world.client().post(
        "/login", data={"token": world.token("ann", "reader")}, headers={"Origin": "https://e"}
    )

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_program_with_a_token_needs_no_csrf_token(world: World) -> None:
    assert world.client("ann", "data scientist").post("/api/v1/snapshots", json=SNAPSHOT).status_code == 200


def test_a_browser_without_session_is_sent_to_the_login_page_and_back(world: World) -> None:
    browser = world.client()

    page = browser.get("/runs?status=active", headers={"Accept": "text/html"})
    api = browser.get("/api/v1/runs", headers={"Accept": "text/html"})

    assert (page.status_code, page.headers["location"]) == (303, "/login?next=%2Fruns%3Fstatus%3Dactive")
    assert api.status_code == 401
    assert api.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "address",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\/evil", "javascript:1", "/a\nb", "", "/ x"],
)
def test_a_login_never_leads_to_another_site(address: str) -> None:
    assert safe_next(address) == "/"


def test_a_login_leads_back_to_a_page_of_ours() -> None:
    assert safe_next("/runs?status=active&x=1") == "/runs?status=active&x=1"


# -- other host names -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8123", "localhost", "LOCALHOST:1", "[::1]:8123", "[::1]", "127.0.0.2:80"]
)
def test_loopback_names_this_server(world: World, host: str) -> None:
    assert world.ask("GET", "/health", {"host": host}) == 200


@pytest.mark.parametrize(
    "host",
    [
        "attacker.example:8123",
        "10.attacker.example",
        "192.168.evil.com",
        "localhost.evil.com",
        "127.0.0.1.evil.com",
        "evil.com#127.0.0.1",
        "0x7f.1",
        "2130706433",
        "192.168.1.7",
        "0.0.0.0",
        "[::ffff:8.8.8.8]",
        "localhost:8123:1",
        "127.0.0.1@evil.com",
        "",
    ],
)
def test_a_foreign_host_name_is_refused_before_anything_is_looked_at(world: World, host: str) -> None:
    token = world.token("olga", "owner")

    assert world.ask("GET", "/api/v1/runs", {"host": host, "authorization": f"Bearer {token}"}) == 421
    assert world.ask("GET", "/health", {"host": host}) == 421


# -- sizes of requests ----------------------------------------------------------------------------------------------------


def test_a_body_above_the_limit_is_refused_whether_or_not_it_says_its_length(world: World) -> None:
    ann = world.client("ann", "data scientist")
    megabyte = b" " * 1_000_000

    announced = ann.post("/api/v1/runs", content=megabyte * 9)
    streamed = ann.post("/api/v1/runs", content=(megabyte for _ in range(9)))

    assert (announced.status_code, streamed.status_code) == (413, 413)
    assert announced.json() == streamed.json()
    assert announced.json()["code"] == "too_large"
    assert "8.0 MB" in announced.json()["message"]


def test_deeply_nested_json_is_a_bad_request(world: World) -> None:
    headers = {"Content-Type": "application/json"}

    answer = world.client("ann", "data scientist").post("/api/v1/runs", content=b"[" * 100_000, headers=headers)

    assert answer.status_code == 400


# -- answers --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/health", "/api/v1/runs", "/nothing", "/login"])
def test_every_answer_keeps_browsers_strict(world: World, path: str) -> None:
    headers = world.client().get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] in ("no-referrer", "same-origin")
    assert "script-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe-inline" not in headers["content-security-policy"].split("style-src")[0]


def test_an_unexpected_error_tells_its_id_and_nothing_of_our_inside(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def explode(*_args: object) -> None:
        raise RuntimeError("the password is canary")

    monkeypatch.setattr(world.people, "audit", explode)
    answer = world.client("olga", "owner").get("/api/v1/audit")

    assert answer.status_code == 500
    assert "canary" not in answer.text
    assert "Traceback" not in answer.text
    reference = answer.json()["message"].split()[-1]
    assert reference in caplog.text
    assert "RuntimeError" in caplog.text
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"name": "abc", "size": "NC6", "maxnodes": 3},
            '"maxnodes" is not a field of a cluster; did you mean "max_nodes"?',
        ),
        ({"name": "abc"}, '"size" is missing; a cluster needs it'),
        ({"name": "abc", "size": "NC6", "max_nodes": "x"}, "\"max_nodes\" must be a whole number, got 'x'"),
        ({"name": "abc", "size": "NC6", "max_nodes": 1.5}, '"max_nodes" must be a whole number, got 1.5'),
        ({"name": 5, "size": "NC6"}, '"name" must be text, got 5'),
        ({"name": "abc", "size": "NC6", "tags": {"a": 1}}, '"tags.a" must be text, got 1'),
    ],
)
def test_a_request_that_does_not_fit_is_told_in_one_sentence(
    world: World, body: dict[str, object], message: str
) -> None:
    answer = world.client("olga", "owner").post("/api/v1/clusters", json=body)

    assert (answer.status_code, answer.json()) == (400, {"code": "invalid_input", "message": message})


def test_what_came_is_shown_shortened(world: World) -> None:
    body = {"name": "abc", "size": "NC6", "max_nodes": "9" * 100_000 + "x"}

    answer = world.client("olga", "owner").post("/api/v1/clusters", json=body)

    assert len(answer.json()["message"]) < 200


def test_two_workspaces_on_one_machine_have_cookies_of_their_own(world: World, tmp_path: Path) -> None:
    other = World(tmp_path / "other")
    try:
        assert other.cookie != world.cookie
        browser, _ = world.browser("ann", "reader")
        secret, _ = other.people.login(other.token("ann", "reader"))

        browser.cookies.set(other.cookie, secret, domain="127.0.0.1")

        assert browser.get("/runs").status_code == 200
    finally:
        other.close()
