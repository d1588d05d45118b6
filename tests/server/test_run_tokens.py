"""The token that a script gets for its run: what it opens, and what attackers try with it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sublight.messages.nodes import Order
from sublight.messages.people import PersonUpdate
from sublight.server.permissions import PERMISSIONS_OF_RUN, Permission
from sublight.server.run_tokens import RunTokens, attempt_of
from tests.server.harness import OWNER, FakeAgent, Harness
from tests.server.people import http, token_of


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    made = Harness(tmp_path / ".sublight")
    made.cluster()
    yield made
    made.close()


def submit(harness: Harness, name: str = "eva", roles: tuple[str, ...] = ("data scientist",), **script: Any) -> str:
    """A run of that person that is on a node, by its id."""
    definition = harness.script(**{"needs_workspace_access": True, **script})
    body = {"experiment": "e", "target": "cpu", "script": msgspec.to_builtins(definition)}
    answer = http(harness, token_of(harness, name, *roles)).post("/api/v1/runs", json=body)
    assert answer.status_code == 201, answer.text
    place(harness)
    return str(answer.json()["id"])


def place(harness: Harness) -> None:
    harness.settle()
    harness.agents()
    harness.settle()


def order_of(harness: Harness, run_id: str) -> tuple[FakeAgent, Order]:
    for agent in harness.agents().values():
        for order in agent.orders():
            if order.run_id == run_id:
                return agent, order
    raise AssertionError(f"no node has {run_id}")


def token(harness: Harness, run_id: str) -> str:
    return order_of(harness, run_id)[1].run_token


def status(harness: Harness, token: str, method: str = "GET", path: str = "/api/v1/workspace", **body: Any) -> int:
    return int(http(harness, token).request(method, path, **body).status_code)


def submission(harness: Harness) -> dict[str, Any]:
    return {"experiment": "e", "target": "cpu", "script": msgspec.to_builtins(harness.script())}


# -- what it is for --------------------------------------------------------------------------------------------------


def test_a_script_reads_the_workspace_and_submits_in_its_submitters_name(harness: Harness) -> None:
    run_id = submit(harness)
    script = http(harness, token(harness, run_id))

    assert script.get("/api/v1/workspace").json()["caller"] == "eva"
    assert script.get(f"/api/v1/runs/{run_id}").json()["id"] == run_id
    child = script.post("/api/v1/runs", json=submission(harness)).json()
    assert child["created_by"] == "eva"
    assert script.patch(f"/api/v1/runs/{run_id}", json={"tags": {"by": "script"}}).status_code == 200
    audit = harness.services.people.audit()
    assert [entry.detail["by_script_of_run"] for entry in audit[:2]] == [run_id, run_id]


def test_orders_repeat_the_token_and_a_restarted_server_still_knows_it(harness: Harness) -> None:
    run_id = submit(harness)
    first = token(harness, run_id)

    harness.restart()

    agent = next(iter(harness.agents().values()))
    agent.nodes = harness.services.nodes
    assert token(harness, run_id) == first
    assert status(harness, first) == 200


def test_a_script_that_did_not_ask_gets_none(harness: Harness) -> None:
    run_id = submit(harness, needs_workspace_access=False)

    assert token(harness, run_id) == ""


# -- attacks ---------------------------------------------------------------------------------------------------------


def test_a_forged_token_opens_nothing(harness: Harness) -> None:
    run_id = submit(harness)
    genuine = token(harness, run_id)
    other_key = RunTokens("another secret").issue(run_id, 1, 1_700_000_000.0)
    forged = [
        genuine[:-1] + ("0" if genuine[-1] != "0" else "1"),
        genuine.replace("slr_1_", "slr_2_"),
        genuine.upper(),
        genuine + "0",
        f"slr_1_{run_id}_{'0' * 64}",
        f"slr_1_{run_id}_",
        f"slr_01_{run_id}_{genuine[-64:]}",
        "slr_",
        other_key,
    ]

    assert [status(harness, one) for one in forged] == [401] * len(forged)
    assert status(harness, genuine) == 200


def test_a_token_is_good_for_its_own_run_and_no_other(harness: Harness) -> None:
    mine, hers = submit(harness), submit(harness, "ida")
    signature = token(harness, mine)[-64:]

    assert status(harness, f"slr_1_{hers}_{signature}") == 401


@pytest.mark.parametrize("end", [{"exit_code": 0}, {"exit_code": 1}, {"end": "timeout", "exit_code": 143}])
def test_a_token_is_worth_nothing_once_its_attempt_is_closed(harness: Harness, end: dict[str, Any]) -> None:
    run_id = submit(harness)
    agent, order = order_of(harness, run_id)
    agent.report(run_id, started=1.0)
    assert status(harness, order.run_token) == 200

    agent.finish(run_id, **end)

    assert status(harness, order.run_token) == 401
    assert status(harness, order.run_token, "POST", "/api/v1/runs", json=submission(harness)) == 401


def test_a_lost_attempts_token_is_worth_nothing_and_the_next_ones_is_another(harness: Harness) -> None:
    run_id = submit(harness)
    agent, order = order_of(harness, run_id)
    agent.report(run_id, started=1.0)

    agent.finish(run_id, end="stopped")
    place(harness)

    _, again = order_of(harness, run_id)
    assert (order.attempt, again.attempt) == (1, 2)
    assert status(harness, order.run_token) == 401
    assert status(harness, again.run_token) == 200


def test_a_deleted_runs_token_does_not_open_the_run_that_got_its_id(harness: Harness) -> None:
    eva = http(harness, token_of(harness, "eva", "data scientist"))
    body = {**submission(harness), "id": "mine"}
    body["script"]["needs_workspace_access"] = True
    assert eva.post("/api/v1/runs", json=body).status_code == 201
    place(harness)
    agent, order = order_of(harness, "mine")
    agent.finish("mine")
    assert eva.delete("/api/v1/experiments/e").status_code == 204
    harness.clock.advance(1)
    assert eva.post("/api/v1/runs", json=body).status_code == 201
    place(harness)

    assert order_of(harness, "mine")[1].attempt == order.attempt
    assert status(harness, order.run_token) == 401


def test_a_submitter_who_lost_the_role_has_scripts_that_lost_it_too(harness: Harness) -> None:
    run_id = submit(harness)
    script = token(harness, run_id)

    harness.services.people.update(OWNER, "eva", PersonUpdate(roles=["reader"]))

    assert status(harness, script) == 200
    answer = http(harness, script).post("/api/v1/runs", json=submission(harness))
    assert answer.status_code == 403
    assert "submitting a run needs the role data scientist" in answer.json()["message"]


def test_a_submitter_who_was_removed_has_scripts_that_open_nothing(harness: Harness) -> None:
    run_id = submit(harness)
    script = token(harness, run_id)

    harness.services.people.remove(OWNER, "eva")

    assert status(harness, script) == 401


def test_the_script_of_an_owner_is_no_owner(harness: Harness) -> None:
    run_id = submit(harness, "oda", ("owner",))
    script = http(harness, token(harness, run_id))
    attempts: list[tuple[str, str, Any]] = [
        ("POST", "/api/v1/tokens", {"person": "oda"}),
        ("GET", "/api/v1/tokens", None),
        ("DELETE", "/api/v1/tokens/x", None),
        ("POST", "/api/v1/login-codes", None),
        ("POST", "/logout", None),
        ("GET", "/api/v1/people", None),
        ("POST", "/api/v1/people", {"name": "mallory", "roles": ["owner"]}),
        ("PATCH", "/api/v1/people/eva", {"roles": ["owner"]}),
        ("POST", "/api/v1/clusters", {"name": "c", "size": "STANDARD_D3_V2"}),
        ("DELETE", "/api/v1/clusters/cpu", None),
        ("GET", "/api/v1/audit", None),
        ("POST", "/api/v1/shutdown", None),
        ("DELETE", "/api/v1/experiments/e", None),
        ("DELETE", "/api/v1/assets/a", None),
        ("DELETE", "/api/v1/datastores/workspaceblobstore", None),
        ("DELETE", "/api/v1/datastores/workspaceblobstore/files?path=x", None),
    ]

    for method, path, body in attempts:
        answer = script.request(method, path, json=body)
        assert answer.status_code in (403, 404), f"{method} {path} answered {answer.status_code}"
        if path.startswith("/api"):
            assert answer.status_code == 403
            assert f"is not for scripts: the token of run {run_id}" in answer.json()["message"]
    assert [person.name for person in harness.services.people.list()] == ["oda"]


def test_a_script_may_read_and_submit_and_nothing_else() -> None:
    assert {Permission.READ, Permission.SUBMIT} == PERMISSIONS_OF_RUN


def test_a_run_token_signs_nobody_into_the_portal(tmp_path: Path) -> None:
    from tests.server.world import World

    world = World(tmp_path / "workspace")
    try:
        world.token("eva", "data scientist")
        run_id = world.run()
        with world.database.write() as connection:
            from sublight.store import runs as run_rows
            from sublight.store.tables import runs

            connection.execute(runs.update().values(created_by="eva"))
            row = {"run_id": run_id, "number": 1, "node_id": "n", "status": "running", "placed": 5.0}
            run_rows.add_attempt(connection, row)
            secret = connection.exec_driver_sql("SELECT value FROM facts WHERE name = 'run_token_secret'").scalar()
        script = RunTokens(str(secret)).issue(run_id, 1, 5.0)
        headers = {"Authorization": f"Bearer {script}"}
        assert world.client().get("/api/v1/workspace", headers=headers).status_code == 200

        answer = world.client().post(
            "/login", data={"token": script, "code": script}, headers={"Origin": "http://127.0.0.1:8123"}
        )
        assert world.cookie not in answer.headers.get("set-cookie", "")
        cookie = {"Cookie": f"{world.cookie}={script}"}
        assert world.client().get("/api/v1/workspace", headers=cookie).status_code == 401
    finally:
        world.close()


def test_a_run_token_is_no_nodes_token(harness: Harness) -> None:
    run_id = submit(harness)
    agent, order = order_of(harness, run_id)
    script = http(harness, order.run_token)
    base = f"/api/v1/nodes/{agent.node_id}"

    answers = [
        script.get(f"{base}/orders", params={"incarnation": agent.incarnation}),
        script.post(f"{base}/report", content=b""),
        script.post(f"{base}/hello", content=b""),
        script.post(f"{base}/goodbye", params={"incarnation": agent.incarnation}),
    ]

    assert [answer.status_code for answer in answers] == [403] * 4


def test_the_token_stands_nowhere(harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        run_id = submit(harness, annotations={"note": "of the submitter"})
        agent, order = order_of(harness, run_id)
        script = http(harness, order.run_token)
        script.patch(f"/api/v1/runs/{run_id}", json={"tags": {"a": "b"}})
        script.post("/api/v1/tokens", json={"person": "eva"})
        shown = [script.get(f"/api/v1/runs/{run_id}{part}").text for part in ("", "/events", "/attempts", "/logs")]
        agent.finish(run_id)

    signature = order.run_token[-64:]
    assert signature not in repr(order)
    assert all(signature not in text for text in [*shown, caplog.text])
    files = [file for file in harness.root.rglob("*") if file.is_file()]
    assert files
    assert all(signature.encode() not in file.read_bytes() for file in files)


def test_only_texts_of_the_right_form_name_an_attempt() -> None:
    signature = "0" * 64

    assert attempt_of(f"slr_12_HD_a-b.c_7_{signature}") == ("HD_a-b.c_7", 12)
    assert attempt_of(f"slr_12__x_{signature}") is None
    assert attempt_of("sl_abc") is None


def test_every_part_of_an_attempt_counts_in_its_signature() -> None:
    tokens = RunTokens("secret")
    first = tokens.issue("a", 1, 5.0)

    others = [tokens.issue("b", 1, 5.0), tokens.issue("a", 2, 5.0), tokens.issue("a", 1, 5.5)]
    others.append(RunTokens("another").issue("a", 1, 5.0))

    assert len({token[-64:] for token in [first, *others]}) == 5
    assert tokens.is_genuine(first, 5.0)
    assert not tokens.is_genuine(first, 5.5)
