"""The portal in a real browser: figures are drawn, hints update the page in place, and it works small, dark and by keys.

The content policy forbids ``eval``, so waiting is done on elements, not on expressions.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from tests.browser.sample_server import SampleServer
from tests.unit.portal.portal_sample import run_view

SWEEP = "/runs/sweep-a1b2c3d4"
LIVE = "/runs/sweep-7kq2mfzx"
RUN = "/runs/newsgroups-ab12cd"

expect.set_options(timeout=15_000)


def wait_until_live(page: Page) -> None:
    expect(page.locator("#live")).to_have_attribute("data-state", "live")


def test_a_sweep_draws_its_figures(page, server: SampleServer):
    page.goto(server.address + SWEEP)

    for figure in ("chart-best", "chart-curves"):
        expect(page.locator(f"#{figure}[data-drawn] .scatterlayer .trace").first).to_be_attached()
    expect(page.locator("#best-value")).to_have_text("0.8284")
    page.locator("#chart-parallel").scroll_into_view_if_needed()
    expect(page.locator("#chart-parallel[data-drawn] .main-svg").first).to_be_visible()


def test_best_so_far_can_be_seen_over_trials(page, server: SampleServer):
    page.goto(server.address + SWEEP)
    expect(page.locator("#chart-best .xtitle")).to_have_text("minutes since the start")

    page.get_by_role("button", name="over trials").click()

    expect(page.locator("#chart-best .xtitle")).to_have_text("trial")
    expect(page.get_by_role("button", name="over trials")).to_have_attribute("aria-pressed", "true")


def test_a_run_shows_metrics_matrix_picture_and_log(page, server: SampleServer):
    del server.services.store.artifacts["newsgroups-ab12cd"]["outputs/fake.png"]
    page.goto(server.address + RUN)

    expect(page.locator("#metric-1[data-drawn] .trace").first).to_be_attached()
    page.locator("#records").scroll_into_view_if_needed()
    expect(page.locator("#record-chart-0[data-drawn] .heatmaplayer image").first).to_be_attached()
    picture = page.locator("#record-3 img")
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("naturalWidth", 1)
    expect(page.locator("#log-text")).to_contain_text("green\n100%\nline of the log")


def test_a_hint_updates_the_page_without_a_reload(page, server: SampleServer):
    page.goto(server.address + LIVE)
    wait_until_live(page)
    page.evaluate("() => { window.sameDocument = true }")
    run = server.services.store.runs["sweep-7kq2mfzx"]
    progress = replace(run.progress, trials_completed=run.progress.trials_completed + 3)
    server.services.store.runs[run.id] = replace(run, progress=progress, reason="It nears its end.")

    server.announce(f"run:{run.id}")

    expect(page.locator("#trials-ended")).to_have_text("14")
    expect(page.get_by_text("It nears its end.")).to_be_visible()
    assert page.evaluate("() => window.sameDocument") is True


def test_an_update_keeps_focus_ticks_open_details_and_scroll(page, server: SampleServer):
    page.set_viewport_size({"width": 1400, "height": 500})
    page.goto(server.address + "/runs")
    wait_until_live(page)
    page.locator("#elsewhere summary").click()
    tick = page.locator("#pick-sweep-a1b2c3d4")
    tick.check()
    tick.focus()
    page.evaluate("() => window.scrollTo(0, 150)")
    before = page.evaluate("() => window.scrollY")
    newest = run_view("newsgroups-newest", created=server.services.store.runs["newsgroups-wait01"].created + 60)
    server.services.store.runs[newest.id] = newest

    server.announce("run:newsgroups-newest")

    expect(page.locator("#row-newsgroups-newest")).to_be_attached()
    expect(tick).to_be_checked()
    expect(tick).to_be_focused()
    expect(page.locator("#elsewhere")).to_have_attribute("open", "")
    assert page.evaluate("() => window.scrollY") == before


def test_a_figure_is_drawn_again_when_its_points_change(page, server: SampleServer):
    page.goto(server.address + LIVE)
    wait_until_live(page)
    expect(page.locator("#chart-curves")).to_have_attribute("data-drawn", "1")
    curves = server.services.store.curves["sweep-7kq2mfzx"]
    last = curves[-1]
    curves[-1] = replace(
        last, steps=[*last.steps, 99], values=[*last.values, 0.99], times=[*last.times, last.times[-1] + 1]
    )

    server.announce("run:sweep-7kq2mfzx")

    expect(page.locator("#chart-curves")).to_have_attribute("data-drawn", "2")
    expect(page.locator("#chart-curves .legend")).to_contain_text(f"best: trial {last.index}")


def test_a_live_log_grows_and_is_followed(page, server: SampleServer):
    page.goto(server.address + RUN)
    wait_until_live(page)
    logs = server.services.store.logs["newsgroups-ab12cd"]
    logs["user_logs/std_log.txt"] += b"epoch 7 <b>done</b>\nunfinished"

    server.announce("run:newsgroups-ab12cd")

    log = page.locator("#log-text")
    expect(log).to_contain_text("epoch 7 <b>done</b>\nunfinished")
    assert log.evaluate("log => log.scrollHeight - log.scrollTop - log.clientHeight") < 5

    logs["user_logs/std_log.txt"] += b" line\n"
    server.announce("run:newsgroups-ab12cd")

    expect(log).to_contain_text("done</b>\nunfinished line")


def test_a_cut_connection_is_made_again_and_what_was_missed_is_read(page, server: SampleServer):
    page.goto(server.address + LIVE)
    wait_until_live(page)
    run = server.services.store.runs["sweep-7kq2mfzx"]
    server.services.store.runs[run.id] = replace(run, reason="Said while nobody listened.")

    server.announce("")

    expect(page.get_by_text("Said while nobody listened.")).to_be_visible()
    wait_until_live(page)


def test_times_are_in_the_viewers_zone(page, server: SampleServer):
    server.services.store.runs = {"r-1": run_view("r-1", created=1_700_000_000.0)}
    page.goto(server.address + "/runs")

    moment = page.locator("#row-r-1 time")

    expect(moment).to_have_text("15 Nov 2023")  # 22:13 of the 14th in UTC
    expect(moment).to_have_attribute("title", "Wednesday, 15 November 2023 at 07:13:20 GMT+9")


def test_filters_go_into_the_address_without_empty_ones(page, server: SampleServer):
    page.goto(server.address + "/runs")

    page.get_by_label("Kind").select_option("sweep")
    expect(page.locator("tbody tr")).to_have_count(2)
    assert page.url.endswith("/runs?kind=sweep")

    page.get_by_label("Search").fill("a1b2")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    assert page.url.endswith("/runs?search=a1b2&kind=sweep")


def test_two_chosen_runs_are_compared(page, server: SampleServer):
    page.goto(server.address + "/runs")

    page.locator("#pick-sweep-a1b2c3d4").check()
    page.locator("#pick-sweep-7kq2mfzx").check()
    page.get_by_role("button", name="Compare the chosen").click()

    expect(page.locator("#verdict")).to_contain_text("reached accuracy")
    expect(page.locator("#chart-best[data-drawn] .trace")).to_have_count(2)


def test_cancel_asks_first_and_then_cancels(page, server: SampleServer):
    page.goto(server.address + LIVE)

    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Cancel sweep").click()
    assert server.services.canceled == []

    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Cancel sweep").click()
    expect(page.get_by_text("Canceled by a person.")).to_be_visible()
    assert server.services.canceled == ["sweep-7kq2mfzx"]


def test_a_reader_sees_the_button_off_and_whom_to_ask(page, reader_server: SampleServer):
    page.goto(reader_server.address + LIVE)

    button = page.get_by_role("button", name="Cancel sweep")

    expect(button).to_be_disabled()
    expect(button).to_have_accessible_description(
        "You are here as reader; ask a data scientist or an owner of this workspace to cancel it."
    )


def test_keys_lead_to_pages_and_to_the_search(page, server: SampleServer):
    page.goto(server.address + "/")

    page.keyboard.press("g")
    page.keyboard.press("c")
    expect(page.locator("h1")).to_have_text("Clusters")
    page.keyboard.press("/")
    expect(page.get_by_label("Search")).to_be_focused()
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()


def test_the_first_tab_leads_to_the_content(page, server: SampleServer):
    page.goto(server.address + "/")

    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_text_of_users_runs_nothing(page, server: SampleServer):
    hostile = '<img src=x onerror="window.bitten=1"><script>window.bitten=1</script>'
    server.services.store.runs["newsgroups-ab12cd"] = run_view(
        name=hostile, reason=hostile, tags={hostile: hostile}, metrics={hostile: 0.5}, parameters={hostile: hostile}
    )
    server.services.store.logs["newsgroups-ab12cd"] = {"log": hostile.encode()}
    server.services.store.records.clear()
    server.services.store.artifacts.clear()
    page.goto(server.address + RUN)
    wait_until_live(page)
    expect(page.locator("#metric-1[data-drawn]")).to_be_attached()

    server.announce("run:newsgroups-ab12cd")
    expect(page.locator("#log-text")).to_contain_text("onerror")

    assert page.evaluate("() => window.bitten") is None


@pytest.mark.parametrize("width", [360, 3840])
def test_no_page_is_wider_than_the_screen(browser, server: SampleServer, width: int):
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    wide = []
    for address in ("/", "/clusters", "/clusters/hypercomputecpu", "/runs", SWEEP, RUN, "/compare", "/login"):
        page.goto(server.address + address)
        if page.evaluate("() => document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wide.append(address)
    context.close()

    assert wide == []


def test_figures_follow_the_viewers_colour_scheme(page, server: SampleServer):
    page.emulate_media(color_scheme="dark")
    page.goto(server.address + SWEEP)
    title = page.locator("#chart-best .xtitle")
    expect(title).to_have_css("fill", "rgb(180, 189, 200)")

    page.emulate_media(color_scheme="light")

    expect(title).to_have_css("fill", "rgb(74, 82, 92)")


def test_an_empty_workspace_explains_itself(page, empty_server: SampleServer):
    page.goto(empty_server.address + "/")

    expect(page.get_by_text("sublight submit examples/newsgroups/sweep.yml --on cpu")).to_be_visible()


def test_pages_work_without_scripts(browser, server: SampleServer):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server.address + "/runs")
    page.get_by_label("Search").fill("a1b2")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="sweep-a1b2c3d4", exact=True).click()

    expect(page.locator("#trials tbody tr")).to_have_count(24)
    context.close()
