"""The pages as a browser gets them, over sample services."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from sublight.server.permissions import permission_of
from tests.unit.portal.portal_sample import SNAPSHOT, SampleServices, Store, node_view, run_view

EVERY_PAGE = [
    "/", "/clusters", "/clusters/hypercomputecpu", "/clusters/hypercomputegpu", "/runs", "/runs/sweep-a1b2c3d4",
    "/runs/sweep-7kq2mfzx", "/runs/newsgroups-ab12cd", "/runs/newsgroups-wait01", "/runs/sweep-a1b2c3d4-3", "/compare",
    "/compare?run=sweep-a1b2c3d4&run=sweep-7kq2mfzx", f"/snapshots/{SNAPSHOT}?path=train.py", "/login",
]  # fmt: skip
EVERY_CHART = [
    "/portal/charts/sweep-a1b2c3d4/best.json", "/portal/charts/sweep-a1b2c3d4/best.json?over=trials",
    "/portal/charts/sweep-a1b2c3d4/curves.json", "/portal/charts/sweep-a1b2c3d4/parallel.json",
    "/portal/charts/newsgroups-ab12cd/metric.json?name=accuracy", "/portal/charts/newsgroups-ab12cd/record.json?number=0",
    "/portal/charts/newsgroups-ab12cd/record.json?number=5", "/clusters/hypercomputecpu/nodes.json",
    "/portal/charts/compare-best.json?run=sweep-a1b2c3d4&run=sweep-7kq2mfzx",
    "/portal/charts/compare-bars.json?field=price&run=sweep-a1b2c3d4&run=sweep-7kq2mfzx",
]  # fmt: skip
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'{{7*7}}"


@pytest.mark.parametrize("address", EVERY_PAGE)
def test_every_page_answers_with_a_strict_content_policy(client, address):
    response = client.get(address)

    assert response.status_code == 200
    policy = response.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("address", EVERY_PAGE)
def test_no_page_carries_a_script_or_an_event_handler_of_its_own(client, address):
    html = client.get(address).text

    assert re.findall(r"<script(?![^>]*\bsrc=)", html) == []
    assert re.findall(r"<[^>]+\son\w+=", html) == []
    assert "http://" not in html
    assert "https://" not in html


@pytest.mark.parametrize("address", EVERY_CHART)
def test_every_chart_is_a_plotly_figure(client, address):
    figure = client.get(address).json()

    assert figure["data"]
    assert figure["layout"]["paper_bgcolor"] == "rgba(0,0,0,0)"


def test_every_route_of_the_portal_has_its_permission(client):
    from fastapi.routing import APIRoute, iter_route_contexts

    found = [
        (method, context.path)
        for context in iter_route_contexts(client.app.routes)
        if isinstance(context.original_route, APIRoute)
        for method in context.methods or ()
    ]

    assert len(found) > 20
    assert [route for route in found if permission_of(*route) is None] == []


@pytest.mark.parametrize("address", ["/", "/clusters", "/runs"])
def test_an_empty_page_shows_the_lines_that_would_fill_it(client_of, tmp_path, address):
    html = client_of(SampleServices(Store(), tmp_path)).get(address).text

    assert "sublight cluster create cpu --size STANDARD_D3_V2" in html
    assert "sublight submit" in html


@pytest.mark.parametrize("address", EVERY_PAGE[:-2])
def test_every_page_shows_the_same_for_terminal_and_python(client, address):
    html = client.get(address).text

    assert "sublight " in html
    assert "sl.Workspace.from_config()" in html


def test_home_says_what_waits_and_why(client):
    html = client.get("/").text

    assert "newsgroups-wait01" in html
    assert "that cluster is unusable" in html


def test_home_forgets_failures_after_a_day(client, services):
    failed = services.store.runs["newsgroups-bad001"]
    assert "unrecognized arguments" in client.get("/").text

    services.store.runs[failed.id] = replace(failed, ended=failed.ended - 90_000)

    assert "unrecognized arguments" not in client.get("/").text


def test_a_cluster_says_when_its_nodes_share_one_host(client, services):
    assert "they share one host" in client.get("/clusters/hypercomputecpu").text

    cluster = services.store.clusters["hypercomputecpu"]
    apart = [node_view(number, host={"hostname": f"host-{number}"}) for number in range(2)]
    services.store.clusters["hypercomputecpu"] = replace(cluster, nodes=apart)

    assert "they share one host" not in client.get("/clusters/hypercomputecpu").text


def test_the_history_keeps_its_filters_in_the_address_of_the_next_page(client, services):
    for number in range(60):
        run = run_view(f"many-{number:03}", experiment="many", created=number)
        services.store.runs[run.id] = run

    html = client.get("/runs?experiment=many&status=ended").text

    assert html.count('id="row-') == 50
    assert "/runs?experiment=many&amp;status=ended&amp;before=many-010" in html
    older = client.get("/runs?experiment=many&status=ended&before=many-010").text
    assert older.count('id="row-') == 10


def test_a_family_of_statuses_filters_the_history(client):
    html = client.get("/runs?status=waiting").text

    assert "row-newsgroups-wait01" in html
    assert "row-sweep-a1b2c3d4" not in html


def test_the_history_tells_the_command_with_the_same_filters(client):
    html = client.get("/runs?status=waiting&target=hypercomputegpu&search=a+b").text

    assert "sublight run list --status created --status queued --on hypercomputegpu --search &#39;a b&#39;" in html
    assert "ws.runs(status=[&#39;created&#39;, &#39;queued&#39;], target=" in html


def test_a_filter_that_fits_nothing_offers_the_way_back(client):
    assert "No run fits these filters" in client.get("/runs?search=nothing-like-it").text


def test_trials_are_listed_best_first_and_by_any_parameter(client, services):
    best = services.store.runs["sweep-a1b2c3d4"].progress.best

    by_metric = re.findall(r'id="trial-(\S+)"', client.get("/runs/sweep-a1b2c3d4").text)
    by_rate = re.findall(r'id="trial-(\S+)"', client.get("/runs/sweep-a1b2c3d4?sort=param:learning_rate").text)

    rates = [services.store.runs[run_id].parameters["learning_rate"] for run_id in by_rate]
    assert by_metric[0] == best.run_id
    assert len(by_metric) == 24
    assert rates == sorted(rates)


def test_a_sweep_shows_its_definition_in_words(client):
    html = client.get("/runs/sweep-a1b2c3d4").text

    assert "loguniform(low=1e-5, high=1)" in html
    assert "bandit(slack_factor=0.1, evaluation_interval=1, delay_evaluation=2)" in html


def test_a_fragment_is_that_part_of_the_page_alone(client):
    html = client.get("/runs/sweep-a1b2c3d4?sort=index&fragment=sweep/trials&fragment=sweep/events").text

    assert re.findall(r'data-fragment="([^"]+)"', html) == ["sweep/trials", "sweep/events"]
    assert "<html" not in html


def test_a_fragment_that_the_page_does_not_name_is_not_given(client):
    for name in ("run/summary", "../base", "error", "login"):
        assert client.get("/runs", params={"fragment": name}).text.strip() == ""


def test_hostile_text_of_users_is_inert_on_every_page(client, services):
    services.store.runs["newsgroups-ab12cd"] = run_view(
        name=HOSTILE, experiment=HOSTILE, reason=HOSTILE, tags={HOSTILE: HOSTILE}, metrics={HOSTILE: 0.5},
        parameters={HOSTILE: HOSTILE}, arguments=[HOSTILE], properties={HOSTILE: HOSTILE},
    )  # fmt: skip
    services.store.logs["newsgroups-ab12cd"] = {HOSTILE: HOSTILE.encode()}
    services.store.artifacts["newsgroups-ab12cd"] = {f"{HOSTILE}.png": b"no"}
    services.store.sources = {HOSTILE: HOSTILE.encode()}

    for address in ("/", "/runs", "/runs/newsgroups-ab12cd", "/compare"):
        html = client.get(address).text
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert "onerror=alert(1)>" not in html
        assert "{{7*7}}" in html or address == "/"
    shown = client.get(f"/snapshots/{SNAPSHOT}", params={"path": HOSTILE}).text
    assert "<script>alert" not in shown


def test_a_run_that_does_not_exist_is_a_page_with_a_sentence(client):
    response = client.get("/runs/nothing")

    assert response.status_code == 404
    assert "there is no run &#39;nothing&#39;" in response.text
    assert response.headers["content-type"].startswith("text/html")


def test_a_run_can_be_canceled_by_who_may(client, services):
    html = client.get("/runs/sweep-7kq2mfzx").text
    assert '<input type="hidden" name="csrf" value="csrf-of-ada">' in html

    response = client.post("/runs/sweep-7kq2mfzx/cancel", data={"csrf": "csrf-of-ada"})

    assert (response.status_code, response.headers["location"]) == (303, "/runs/sweep-7kq2mfzx")
    assert services.canceled == ["sweep-7kq2mfzx"]


@pytest.mark.parametrize("role", ["reader", "compute operator"])
def test_who_may_not_cancel_sees_why_and_whom_to_ask(services, client_of, role):
    html = client_of(services, role).get("/runs/sweep-7kq2mfzx").text

    assert "/cancel" not in html
    assert f"You are here as {role}; ask a data scientist or an owner" in html


def test_an_ended_run_cannot_be_canceled(client):
    assert "/runs/sweep-a1b2c3d4/cancel" not in client.get("/runs/sweep-a1b2c3d4").text

    response = client.post("/runs/sweep-a1b2c3d4/cancel", data={"csrf": "csrf-of-ada"})

    assert response.status_code == 409
    assert "has ended already" in response.text


def test_a_comparison_marks_the_better_side(client):
    html = client.get("/compare?run=sweep-a1b2c3d4&run=sweep-7kq2mfzx").text

    assert 'id="verdict"' in html
    assert 'class="winner"' in html
    assert "best accuracy" in html


def test_more_runs_than_fit_side_by_side_are_refused_in_words(client):
    response = client.get("/compare?" + "&".join(f"run=r{number}" for number in range(9)))

    assert response.status_code == 400
    assert "at most 8 runs" in response.text


def test_a_sweep_of_a_thousand_trials_is_a_small_page(client, services):
    from tests.unit.portal.portal_sample import add_sweep

    add_sweep(services.store, "sweep-large", seed=5, trials=1000)

    page = client.get("/runs/sweep-large")

    assert len(page.content) < 150_000
    assert "Show all" in page.text


def test_the_history_shows_trials_and_those_that_ended_early(client, services):
    early = next(run for run in services.store.runs.values() if run.end_reason == "policy")
    late = next(run for run in services.store.runs.values() if run.kind == "trial" and run.end_reason != "policy")

    html = client.get("/runs?status=ended+early").text

    assert f'id="row-{early.id}"' in html
    assert f'id="row-{late.id}"' not in html
    assert "sublight run list --end-reason policy --kind trial" in html
    assert f'id="row-{late.id}"' in client.get("/runs?kind=trial&status=" + late.status).text


def test_a_comparison_can_be_by_another_metric(client, services):
    html = client.get("/compare?run=sweep-a1b2c3d4&run=sweep-7kq2mfzx&metric=loss&direction=minimize").text

    assert services.compared_by == ("loss", "minimize")
    assert 'value="loss"' in html
    assert "metric=loss&amp;direction=minimize" in html
    assert "sublight compare sweep-a1b2c3d4 sweep-7kq2mfzx --metric loss --minimize" in html
