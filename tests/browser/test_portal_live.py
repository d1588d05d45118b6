"""The portal on the real server: real database, sign-in, permissions, loops and stream of hints; nodes exist on paper."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from sublight.messages.people import PersonRequest, TokenRequest
from sublight.messages.runs import RunView
from sublight.server.clock import Clock
from sublight.wiring import build
from tests.browser.sample_server import RunningApp
from tests.server.harness import OWNER, FakeAgent, Harness, scalar


class LiveWorkspace(Harness):
    """A workspace with its app on a port and its loops running, on the real clock."""

    def open(self) -> None:
        self.clock = Clock()
        self.workspace = build(self.settings, supplies={"local": self.supply}, clock=self.clock)
        self.services = self.workspace.services
        self.services.people.ensure_owner(OWNER.name)
        self._app = RunningApp(self.workspace.app)
        self.address = self._app.address

    def close(self) -> None:
        self._app.stop()
        super().close()

    def sign_in(self, page: Page, to: str = "/") -> None:
        """Come in by a one-time link, as ``sublight up`` prints it."""
        code = self.services.people.login_code(OWNER)
        page.goto(f"{self.address}{code.path}&next={to}")

    def agents(self) -> dict[str, FakeAgent]:
        """As in a workspace that stands still, but the loops start nodes in their own threads meanwhile."""
        live = {node.id for cluster in self.services.clusters.list() for node in cluster.nodes}
        for node_id in tuple(self.supply.started):
            if node_id in live and node_id not in self._agents:
                self._agents[node_id] = FakeAgent(self, node_id)
        return self._agents

    def placed(self, sweep_id: str) -> list[RunView]:
        """The trials of the sweep once nodes are up and two of them are placed."""
        for _ in range(200):
            self.agents()
            found = [trial for trial in self.trials(sweep_id) if trial.attempt]
            if len(found) == 2:
                return found
            time.sleep(0.05)
        raise AssertionError("no trials were placed")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[LiveWorkspace]:
    made = LiveWorkspace(tmp_path / ".sublight", tick_seconds=0.1)
    made.cluster()
    yield made
    made.close()


@pytest.fixture
def page(browser, workspace: LiveWorkspace) -> Iterator[Page]:
    """A page that is closed before the server stops, on which no script may fail."""
    context = browser.new_context()
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(f"script error: {error}"))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    yield page
    found = list(faults)
    context.close()
    assert found == []


def test_a_sweep_is_followed_live_from_the_first_node_to_the_best_trial(page: Page, workspace: LiveWorkspace):
    sweep = workspace.submit(workspace.sweep())
    workspace.sign_in(page, f"/runs/{sweep.id}")
    expect(page.locator("h1")).to_have_text(sweep.id)
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
    page.evaluate("() => { window.sameDocument = true }")

    first, second = workspace.placed(sweep.id)
    agents = workspace.agents()
    for trial, best in ((first, 0.5), (second, 0.75)):
        agent = agents[workspace.run(trial.id).node_id or ""]
        agent.report(trial.id, started=time.time(), journal=scalar("accuracy", best, 0, time.time()))
        agent.finish(trial.id)

    expect(page.locator("#best-value")).to_have_text("0.75")
    expect(page.locator("#trials-ended")).to_have_text("2")
    expect(page.locator(f"#trial-{second.id}")).to_contain_text("completed")
    expect(page.locator("#chart-best[data-drawn] .trace").first).to_be_attached()
    assert page.evaluate("() => window.sameDocument") is True


def test_a_cluster_shows_its_nodes_and_why_there_are_so_many(page: Page, workspace: LiveWorkspace):
    workspace.sign_in(page, "/clusters/cpu")
    expect(page.get_by_text("No node is up.")).to_be_visible()
    expect(page.locator("#live")).to_have_attribute("data-state", "live")

    sweep = workspace.submit(workspace.sweep())
    placed = workspace.placed(sweep.id)

    expect(page.locator("tr[id^=node-]")).to_have_count(2)
    expect(page.get_by_role("link", name=placed[0].id)).to_be_visible()
    expect(page.get_by_text("they share one host")).to_be_visible()


def test_a_sweep_is_canceled_by_its_button_with_the_sessions_csrf_token(page: Page, workspace: LiveWorkspace):
    sweep = workspace.submit(workspace.sweep())
    workspace.sign_in(page, f"/runs/{sweep.id}")

    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Cancel sweep").click()

    expect(page.get_by_text("canceled by olga").first).to_be_visible()
    assert workspace.run(sweep.id).status in ("stopping", "canceled")


def test_strangers_are_led_to_the_login_page_and_back(page: Page, workspace: LiveWorkspace):
    workspace.services.people.add(OWNER, PersonRequest(name="rea", roles=["reader"]))
    token = workspace.services.people.create_token(OWNER, TokenRequest(person="rea")).secret

    page.goto(f"{workspace.address}/clusters/cpu")
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()

    expect(page.locator("h1")).to_have_text("cpu")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.goto(f"{workspace.address}/runs")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_every_page_of_a_used_workspace_answers(page: Page, workspace: LiveWorkspace):
    sweep = workspace.submit(workspace.sweep())
    run = workspace.submit(workspace.script(arguments=["--a", "1"]))
    trial = workspace.placed(sweep.id)[0]
    snapshot = workspace.run(run.id).script
    assert snapshot is not None
    workspace.sign_in(page)

    for address in (
        "/", "/clusters", "/clusters/cpu", "/runs", "/runs?status=waiting&experiment=trying&kind=script&tag=a%3Db",
        f"/runs/{run.id}", f"/runs/{trial.id}", f"/runs/{sweep.id}", f"/compare?run={sweep.id}&run={run.id}",
        f"/snapshots/{snapshot.snapshot_id}?path=train.py",
    ):  # fmt: skip
        response = page.goto(workspace.address + address)
        assert response is not None
        assert response.status == 200, (address, page.inner_text("main"))
