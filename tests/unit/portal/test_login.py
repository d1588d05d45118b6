"""Coming in and leaving."""

from __future__ import annotations

import pytest


def test_a_one_time_code_sets_the_cookie_and_leads_on(client):
    response = client.get("/login?code=good-code&next=/runs/sweep-a1b2c3d4")

    cookie = response.headers["set-cookie"]
    assert (response.status_code, response.headers["location"]) == (303, "/runs/sweep-a1b2c3d4")
    assert cookie.startswith("sublight_session_01234567=session-secret;")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_link_on_another_sites_page_signs_nobody_in_before_a_click(client, site):
    response = client.get("/login?code=good-code&next=/runs", headers={"Sec-Fetch-Site": site})

    assert response.status_code == 200
    assert "set-cookie" not in response.headers
    assert 'name="token" value="good-code"' in response.text
    assert "Sign in with this link" in response.text


def test_a_code_may_stand_where_a_token_is_asked_for(client):
    response = client.post("/login", data={"token": "good-code", "next": "/runs"})

    assert (response.status_code, response.headers["location"]) == (303, "/runs")


def test_a_token_that_is_pasted_opens_the_portal(client):
    response = client.post("/login", data={"token": " good-token\n", "next": "/"})

    assert response.status_code == 303
    assert "sublight_session" in response.headers["set-cookie"]


@pytest.mark.parametrize("token", ["", "wrong"])
def test_a_wrong_token_is_a_sentence_and_no_cookie(client, token):
    response = client.post("/login", data={"token": token})

    assert response.status_code == 401
    assert 'role="alert"' in response.text
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "/a\nb"])
def test_signing_in_never_leads_to_another_site(client, elsewhere):
    response = client.get("/login", params={"code": "good-code", "next": elsewhere})

    assert response.headers["location"] == "/"


def test_signing_out_ends_the_session_and_the_cookie(client, services):
    client.cookies.set("sublight_session_01234567", "session-secret")

    response = client.post("/logout", data={"csrf": "csrf-of-ada"})

    assert (response.status_code, response.headers["location"]) == (303, "/login")
    assert services.logged_out == ["session-secret"]
    assert 'sublight_session_01234567=""' in response.headers["set-cookie"]


def test_the_login_page_works_for_strangers(services, client_of):
    html = client_of(services, None).get("/login").text

    assert "Sign out" not in html
    assert 'name="token"' in html
