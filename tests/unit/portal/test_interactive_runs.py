"""How the portal shows a run that no node carries out."""

from __future__ import annotations

from sublight.messages.definitions import ScriptDefinition
from sublight.messages.runs import AttemptView
from tests.unit.portal.portal_sample import START, run_view


def test_its_page_names_the_process_instead_of_a_node(client, services):
    run = run_view(
        "by-hand-1", kind="interactive", target="local", status="running", ended=None, end_reason=None, script=None,
        arguments=[],
    )  # fmt: skip
    services.store.runs[run.id] = run
    attempt = AttemptView(number=1, node_id="", status="running", started=START, ended=None, exit_code=None, reason="")
    services.store.attempts[run.id] = [attempt]

    html = client.get("/runs/by-hand-1").text

    assert "a process of ada" in html
    assert "its own process" in html
    assert '<a href="/clusters/local">' not in html
    assert "This run is carried out by a process of its own" in html
    assert "This run has no snapshot of its own." in html
    assert f'action="/runs/{run.id}/cancel"' in html


def test_the_history_can_be_narrowed_to_it(client, services):
    services.store.runs["by-hand-1"] = run_view("by-hand-1", kind="interactive", target="local")

    html = client.get("/runs?kind=interactive").text

    assert "by-hand-1" in html
    assert "newsgroups-ab12cd" not in html


def test_a_description_and_the_interpreters_arguments_are_shown(client, services):
    script = ScriptDefinition(snapshot_id="s", script="train.py", interpreter_arguments=["-m", "wrapper"])
    services.store.runs["told"] = run_view(
        "told", description="what <it> is for", script=script, arguments=["--a", "1"]
    )

    html = client.get("/runs/told").text

    assert "what &lt;it&gt; is for" in html
    assert "-m wrapper train.py --a 1" in html
