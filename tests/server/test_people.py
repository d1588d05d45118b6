"""People, their tokens, their sessions, and what is written down about them."""

from __future__ import annotations

import pytest

from sublight.core.errors import Conflict, InvalidInput, NameTaken, NotAuthenticated, TooManyRequests
from sublight.messages.people import PersonRequest, PersonUpdate, TokenRequest
from sublight.server.caller import Caller
from sublight.store.people import TokenKind
from tests.server.world import OLGA, World


def login_code(world: World, name: str) -> str:
    return world.people.login_code(Caller(name=name, token_id="t")).path.removeprefix("/login?code=")


# -- the first owner ----------------------------------------------------------------------------------------------------


def test_the_first_start_makes_an_owner_with_a_token(world: World) -> None:
    token = world.people.ensure_owner()

    caller = world.services.callers.find(token, TokenKind.ACCESS)
    assert caller is not None
    assert caller.roles == {"owner"}
    assert [person.name for person in world.people.list()] == ["owner"]


def test_a_later_start_keeps_the_token_that_still_works(world: World) -> None:
    token = world.people.ensure_owner()

    assert world.people.ensure_owner(present=token) == token
    assert world.people.ensure_owner(present="sl_lost") != token
    assert len(world.people.list()) == 1


def test_a_token_of_somebody_else_does_not_pass_for_the_owners(world: World) -> None:
    world.people.ensure_owner()
    reader = world.token("rita", "reader")

    assert world.people.ensure_owner(present=reader) != reader


# -- people -------------------------------------------------------------------------------------------------------------


def test_owners_add_change_and_remove_people_over_http(world: World) -> None:
    olga = world.client("olga", "owner")

    added = olga.post("/api/v1/people", json={"name": "ann", "roles": ["reader"]})
    changed = olga.patch("/api/v1/people/ann", json={"roles": ["data scientist", "compute operator"]})
    removed = olga.delete("/api/v1/people/ann")

    assert added.status_code == 201
    assert added.json()["roles"] == ["reader"]
    assert changed.json()["roles"] == ["compute operator", "data scientist"]
    assert removed.status_code == 204
    assert [person["name"] for person in olga.get("/api/v1/people").json()] == ["olga"]


def test_the_last_owner_stays(world: World) -> None:
    world.people.add(OLGA, PersonRequest(name="olga", roles=["owner"]))

    with pytest.raises(Conflict, match="last owner"):
        world.people.remove(OLGA, "olga")
    with pytest.raises(Conflict, match="last owner"):
        world.people.update(OLGA, "olga", PersonUpdate(roles=["reader"]))

    world.people.add(OLGA, PersonRequest(name="otto", roles=["owner"]))
    world.people.remove(OLGA, "olga")
    assert [person.name for person in world.people.list()] == ["otto"]


def test_a_name_is_given_once(world: World) -> None:
    world.people.add(OLGA, PersonRequest(name="ann", roles=["reader"]))

    with pytest.raises(NameTaken, match="'ann' already"):
        world.people.add(OLGA, PersonRequest(name="ann", roles=["owner"]))


@pytest.mark.parametrize("name", ["", " ann", "a\nb", "a/b", "<img src=x>", "a" * 65, "-ann"])
def test_a_name_must_be_plain(world: World, name: str) -> None:
    with pytest.raises(InvalidInput, match="a person's name has"):
        world.people.add(OLGA, PersonRequest(name=name, roles=["reader"]))


def test_nobody_is_without_a_role_or_with_one_that_does_not_exist(world: World) -> None:
    olga = world.client("olga", "owner")

    nothing = olga.post("/api/v1/people", json={"name": "ann", "roles": []})
    unknown = olga.post("/api/v1/people", json={"name": "ann", "roles": ["admin"]})

    assert (nothing.status_code, unknown.status_code) == (400, 400)
    assert "at least one role" in nothing.json()["message"]
    assert "'admin'" in unknown.json()["message"]


@pytest.mark.parametrize("name", ["ann", "olga"])
def test_nobody_but_an_owner_gives_roles_not_even_to_themselves(world: World, name: str) -> None:
    world.token("olga", "owner")
    ann = world.client("ann", "data scientist", "compute operator")

    answer = ann.patch(f"/api/v1/people/{name}", json={"roles": ["owner"]})

    assert answer.status_code == 403
    assert {person.name: person.roles for person in world.people.list()}["ann"] != ["owner"]


@pytest.mark.parametrize("extra", [{"owner": True}, {"is_admin": 1}, {"token": "x"}, {"created": 0}, {"name": "b"}])
def test_fields_that_a_change_does_not_have_are_refused_by_name(world: World, extra: dict[str, object]) -> None:
    olga = world.client("olga", "owner")
    world.token("ann", "reader")

    answer = olga.patch("/api/v1/people/ann", json={"roles": ["reader"], **extra})

    assert answer.status_code == 400
    assert answer.json()["message"] == f'"{next(iter(extra))}" is not a field of a change to a person; ' + (
        "its fields are roles"
    )


def test_a_role_that_is_taken_away_is_gone_at_once(world: World) -> None:
    ann = world.client("ann", "compute operator")
    before = ann.post("/api/v1/clusters", json={}).status_code

    world.people.update(OLGA, "ann", PersonUpdate(roles=["reader"]))

    assert (before, ann.post("/api/v1/clusters", json={}).status_code) == (400, 403)


def test_a_removed_person_is_out_at_once_and_a_new_one_of_the_name_inherits_nothing(world: World) -> None:
    world.token("olga", "owner")
    ann = world.client("ann", "reader")
    browser, _ = world.browser("ann")
    before = (ann.get("/api/v1/runs").status_code, browser.get("/api/v1/runs").status_code)

    world.people.remove(OLGA, "ann")
    world.people.add(OLGA, PersonRequest(name="ann", roles=["owner"]))

    assert before == (200, 200)
    assert (ann.get("/api/v1/runs").status_code, browser.get("/api/v1/runs").status_code) == (401, 401)


# -- tokens -------------------------------------------------------------------------------------------------------------


def test_no_secret_is_stored_as_itself(own_world: World) -> None:
    world = own_world
    secrets = [world.token("olga", "owner"), world.node_token("cpu-1"), login_code(world, "olga")]
    secrets.append(world.people.login(secrets[0])[0])
    world.close()

    stored = b"".join(file.read_bytes() for file in world.folder.iterdir() if file.is_file())
    assert b"olga" in stored
    assert [secret for secret in secrets if secret.encode() in stored or secret[4:].encode() in stored] == []


def test_secrets_say_what_they_are_and_hold_256_bits(world: World) -> None:
    access, node = world.token("olga", "owner"), world.node_token("cpu-1")

    assert access.startswith("sl_")
    assert node.startswith("sln_")
    assert len(access) == len("sl_") + 43


def test_a_token_ends_after_its_days(world: World) -> None:
    world.token("ann", "reader")
    token = world.people.create_token(OLGA, TokenRequest(person="ann", days_valid=1)).secret
    find = world.services.callers.find

    assert find(token, TokenKind.ACCESS) is not None
    world.clock.advance(86_401)
    assert find(token, TokenKind.ACCESS) is None


@pytest.mark.parametrize("days", [0, -1, 1e9, float("nan"), float("inf")])
def test_days_valid_must_be_sensible(world: World, days: float) -> None:
    world.token("ann", "reader")

    with pytest.raises(InvalidInput, match="days_valid"):
        world.people.create_token(OLGA, TokenRequest(person="ann", days_valid=days))


def test_people_make_see_and_revoke_their_own_tokens_only(world: World) -> None:
    world.token("olga", "owner")
    ann, bob = world.client("ann", "reader"), world.client("bob", "data scientist")

    own = ann.post("/api/v1/tokens", json={"person": "ann", "label": "laptop"})
    others = ann.post("/api/v1/tokens", json={"person": "olga"})
    revoked_by_bob = bob.delete(f"/api/v1/tokens/{own.json()['id']}")

    assert own.status_code == 201
    assert others.status_code == 403
    assert revoked_by_bob.status_code == 404
    assert (
        revoked_by_bob.json()["message"].replace(own.json()["id"], "x")
        == bob.delete("/api/v1/tokens/x").json()["message"]
    )
    assert {token["person"] for token in ann.get("/api/v1/tokens").json()} == {"ann"}
    assert "secret" not in ann.get("/api/v1/tokens").text
    assert ann.delete(f"/api/v1/tokens/{own.json()['id']}").status_code == 204


def test_an_owner_sees_and_revokes_everybodys_tokens(world: World) -> None:
    olga, ann = world.client("olga", "owner"), world.client("ann", "reader")
    tokens = {token["person"]: token["id"] for token in olga.get("/api/v1/tokens").json()}

    olga.delete(f"/api/v1/tokens/{tokens['ann']}")

    assert set(tokens) == {"olga", "ann"}
    assert ann.get("/api/v1/runs").status_code == 401


def test_a_revoked_token_takes_its_sessions_with_it(world: World) -> None:
    token = world.token("ann", "reader")
    session, _ = world.people.login(token)
    find = world.services.callers.find
    caller = find(token, TokenKind.ACCESS)
    assert caller is not None
    assert find(session, TokenKind.SESSION) is not None

    world.people.revoke_token(OLGA, caller.token_id)

    assert find(session, TokenKind.SESSION) is None


def test_a_long_stream_learns_that_its_caller_is_not_valid_any_more(world: World) -> None:
    token = world.token("ann", "reader")
    caller = world.services.callers.find(token, TokenKind.ACCESS)
    assert caller is not None
    before = world.services.callers.is_valid(caller)

    world.people.update(OLGA, "ann", PersonUpdate(roles=["data scientist"]))

    assert (before, world.services.callers.is_valid(caller)) == (True, False)


# -- the portal's door --------------------------------------------------------------------------------------------------


def test_a_login_code_opens_once(world: World) -> None:
    world.token("ann", "reader")
    code = login_code(world, "ann")

    session, expires = world.people.login(code)

    caller = world.services.callers.find(session, TokenKind.SESSION)
    assert caller is not None
    assert (caller.name, bool(caller.csrf), expires - world.clock.now()) == ("ann", True, 12 * 3600)
    with pytest.raises(NotAuthenticated):
        world.people.login(code)


def test_a_login_code_lasts_ten_minutes(world: World) -> None:
    world.token("ann", "reader")
    code = login_code(world, "ann")
    world.clock.advance(601)

    with pytest.raises(NotAuthenticated):
        world.people.login(code)


def test_a_session_lasts_twelve_hours_and_no_longer_than_its_token(world: World) -> None:
    world.token("ann", "reader")
    short = world.people.create_token(OLGA, TokenRequest(person="ann", days_valid=0.1)).secret

    _, expires = world.people.login(short)
    session, _ = world.people.login(world.token("ann"))
    world.clock.advance(12 * 3600 + 1)

    assert expires == pytest.approx(world.clock.now() - (12 * 3600 + 1) + 8640)
    assert world.services.callers.find(session, TokenKind.SESSION) is None


def test_a_session_ends_with_logout(world: World) -> None:
    session, _ = world.people.login(world.token("ann", "reader"))

    world.people.logout(session)
    world.people.logout(session)

    assert world.services.callers.find(session, TokenKind.SESSION) is None


def test_kinds_of_secrets_do_not_stand_in_for_each_other(world: World) -> None:
    token = world.token("ann", "reader")
    code = login_code(world, "ann")
    session, _ = world.people.login(token)

    assert [world.ask("GET", "/api/v1/runs", {"authorization": f"Bearer {text}"}) for text in (code, session)] == [
        401,
        401,
    ]
    assert world.ask("GET", "/api/v1/runs", {"cookie": f"{world.cookie}={token}"}) == 401
    with pytest.raises(NotAuthenticated):
        world.people.login(session)


def test_many_wrong_sign_ins_must_wait_but_lock_nobody_out(world: World) -> None:
    token = world.token("ann", "reader")
    for _ in range(10):
        with pytest.raises(NotAuthenticated):
            world.people.login("sl_guess")

    with pytest.raises(TooManyRequests) as refusal:
        world.people.login("sl_guess")
    assert 0 < refusal.value.retry_after_seconds <= 60
    assert world.people.login(token)

    world.clock.advance(61)
    with pytest.raises(NotAuthenticated):
        world.people.login("sl_guess")


def test_a_login_code_comes_over_http_to_whoever_asks_for_themselves(world: World) -> None:
    ann = world.client("ann", "reader")

    answer = ann.post("/api/v1/login-codes")
    opened = world.client().get(answer.json()["path"], headers={"Accept": "text/html"})

    assert answer.json()["seconds_valid"] == 600
    assert opened.status_code == 303
    assert "HttpOnly" in opened.headers["set-cookie"]
    assert "samesite=lax" in opened.headers["set-cookie"].lower()


# -- audit --------------------------------------------------------------------------------------------------------------


def test_every_change_is_in_the_audit_log_with_who_in_which_roles(world: World) -> None:
    olga = world.client("olga", "owner")
    olga.post("/api/v1/people", json={"name": "ann", "roles": ["reader"]})
    olga.patch("/api/v1/people/ann", json={"roles": ["data scientist"]})
    token = olga.post("/api/v1/tokens", json={"person": "ann"}).json()
    olga.delete(f"/api/v1/tokens/{token['id']}")
    olga.delete("/api/v1/people/ann")

    entries = olga.get("/api/v1/audit", params={"limit": 5}).json()

    assert [(entry["action"], entry["subject"]) for entry in entries] == [
        ("remove person", "person:ann"),
        ("revoke token", f"token:{token['id']}"),
        ("make token", f"token:{token['id']}"),
        ("change roles", "person:ann"),
        ("add person", "person:ann"),
    ]
    assert {(entry["person"], *entry["roles"]) for entry in entries} == {("olga", "owner")}
    assert entries[3]["detail"] == {"before": ["reader"], "after": ["data scientist"]}
    assert token["secret"] not in str(entries)


def test_the_audit_log_comes_in_pages(world: World) -> None:
    olga = world.client("olga", "owner")
    first = olga.get("/api/v1/audit", params={"limit": 1}).json()

    second = olga.get("/api/v1/audit", params={"limit": 1, "before": first[0]["number"]}).json()

    assert second[0]["number"] < first[0]["number"]


def test_a_refused_change_leaves_no_trace(world: World) -> None:
    world.token("olga", "owner")
    before = len(world.people.audit())

    with pytest.raises(Conflict):
        world.people.remove(OLGA, "olga")

    assert len(world.people.audit()) == before


def test_a_request_for_a_token_that_comes_twice_makes_one_token(world: World) -> None:
    olga = world.client("olga", "owner")
    before = {token["id"] for token in olga.get("/api/v1/tokens").json()}
    body, key = {"person": "olga", "label": "ci"}, {"Idempotency-Key": "k1"}

    first, again = (olga.post("/api/v1/tokens", json=body, headers=key).json() for _ in range(2))

    made = {token["id"] for token in olga.get("/api/v1/tokens").json()} - before
    assert made == {again["id"]}
    use = lambda secret: world.client().get("/api/v1/runs", headers={"Authorization": f"Bearer {secret}"}).status_code  # noqa: E731
    assert (use(first["secret"]), use(again["secret"])) == (401, 200)
    other = olga.post("/api/v1/tokens", json={"person": "olga", "label": "other"}, headers=key)
    assert (other.status_code, "came before with another request" in other.json()["message"]) == (400, True)


def test_adding_a_person_twice_with_one_key_is_done_once(world: World) -> None:
    olga = world.client("olga", "owner")
    body, key = {"name": "ann", "roles": ["reader"]}, {"Idempotency-Key": "k2"}

    answers = [olga.post("/api/v1/people", json=body, headers=key) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert olga.post("/api/v1/people", json=body).status_code == 409


def test_of_a_login_code_that_was_asked_for_twice_the_last_one_opens(world: World) -> None:
    olga = world.client("olga", "owner")

    codes = [
        olga.post("/api/v1/login-codes", headers={"Idempotency-Key": "k3"}).json()["path"].removeprefix("/login?code=")
        for _ in range(2)
    ]

    with pytest.raises(NotAuthenticated):
        world.people.login(codes[0])
    assert world.people.login(codes[1])
