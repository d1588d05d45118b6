"""Many records: all of them can be had, page by page, and a page that shows fewer says so."""

from __future__ import annotations

from sublight.messages.runs import RECORDS_PAGE
from sublight.store import metrics as metric_rows
from sublight.store import tables
from tests.server.world import World


def test_all_records_of_a_run_are_returned_and_the_portal_says_what_it_leaves_out(world: World) -> None:
    run_id = world.run()
    count = RECORDS_PAGE + 7
    with world.database.write() as connection:
        # A child run has no definition of its own, which is all that this page would need beside the records.
        connection.execute(tables.runs.update().values(kind="child"))
        row = {"run_id": run_id, "kind": "row", "name": "r", "step": None, "time": 1.0}
        metric_rows.add_records(connection, [{**row, "content": {"x": number}} for number in range(count)])
    client = world.client("ann", "reader")

    first = client.get(f"/api/v1/runs/{run_id}/records").json()
    second = client.get(f"/api/v1/runs/{run_id}/records", params={"start": RECORDS_PAGE}).json()

    assert [len(first), len(second)] == [RECORDS_PAGE, 7]
    assert [record["content"]["x"] for record in first + second] == list(range(count))
    browser, _ = world.browser("ann", "reader")
    assert f"Only the first {RECORDS_PAGE} records are shown here" in browser.get(f"/runs/{run_id}").text
