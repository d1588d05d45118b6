"""Logs, outputs, pictures, snapshot files and the portal's own files."""

from __future__ import annotations

import gzip

import pytest

from sublight.messages.runs import LogFile
from sublight.portal.assets import asset_path, plotly_path
from sublight.portal.files import attachment
from sublight.portal.logs import TAIL_BYTES, read_on, read_tail
from tests.unit.portal.portal_sample import SNAPSHOT, SampleServices, Store, run_view

RUN = "newsgroups-ab12cd"


def files_with_log(data: bytes, tmp_path):
    store = Store(runs={RUN: run_view(RUN)}, logs={RUN: {"log": data}})
    return SampleServices(store, tmp_path).files


@pytest.mark.parametrize("path", ["outputs/page.html", "outputs/weights_1.png", "outputs/model.pkl"])
def test_an_output_is_always_a_download_and_never_a_page(client, path):
    response = client.get(f"/runs/{RUN}/output", params={"path": path})

    assert response.headers["content-disposition"].startswith("attachment;")
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert response.headers["x-content-type-options"] == "nosniff"


def test_a_picture_is_shown_when_its_bytes_are_those_of_one(client):
    response = client.get(f"/runs/{RUN}/picture?path=outputs/weights_1.png")

    assert response.headers["content-type"] == "image/png"
    assert response.headers["content-security-policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize("path", ["outputs/fake.png", "outputs/page.html"])
def test_what_only_calls_itself_a_picture_is_not_shown(client, path):
    response = client.get(f"/runs/{RUN}/picture?path={path}")

    assert response.status_code == 404
    assert b"<svg" not in response.content


def test_a_file_that_is_not_there_is_a_sentence(client):
    assert client.get(f"/runs/{RUN}/output?path=../../etc/passwd").status_code == 404
    assert client.get(f"/runs/{RUN}/log?path=../server.log").status_code == 404
    assert client.get(f"/snapshots/{SNAPSHOT}?path=../../owner.token").status_code == 404


def test_a_snapshot_file_is_shown_as_text(client):
    assert "run.log(&#34;accuracy&#34;" in client.get(f"/snapshots/{SNAPSHOT}?path=train.py").text


def test_a_snapshot_file_that_is_not_text_is_offered_as_a_download(client):
    assert "is not text" in client.get(f"/snapshots/{SNAPSHOT}?path=data.bin").text


def test_a_log_is_downloaded_whole_and_unchanged(client, services):
    response = client.get(f"/runs/{RUN}/log?path=user_logs/std_log.txt")

    assert response.content == services.store.logs[RUN]["user_logs/std_log.txt"]
    assert response.headers["content-disposition"].startswith('attachment; filename="std_log.txt"')


def test_the_page_of_a_run_shows_the_chosen_log(client):
    assert "debug line" not in client.get(f"/runs/{RUN}").text
    assert "debug line" in client.get(f"/runs/{RUN}?log=logs/debug.txt").text


def test_logs_of_each_attempt_can_be_opened_and_are_read_on_by_themselves(client, services):
    services.store.later_logs[RUN] = {2: {"user_logs/std_log.txt": b"second try\n"}}
    first = services.store.logs[RUN]["user_logs/std_log.txt"].decode().split("\n")[0]

    page = client.get(f"/runs/{RUN}").text
    earlier = client.get(f"/runs/{RUN}?log=user_logs/std_log.txt&attempt=1").text

    address = f"/runs/{RUN}/log.json?path=user_logs/std_log.txt&amp;attempt="
    assert "second try" in page
    assert f'data-log="{address}2"' in page
    assert "of attempt 1" in page
    assert first in earlier
    assert f'data-log="{address}1"' in earlier
    assert client.get(f"/runs/{RUN}/log?path=user_logs/std_log.txt&attempt=2").content == b"second try\n"
    part = client.get(f"/runs/{RUN}/log.json?path=user_logs/std_log.txt&attempt=2&offset=0").json()
    assert part["text"] == "second try\n"


def test_reading_a_log_goes_on_where_whole_lines_ended(tmp_path):
    files = files_with_log("one\nzwölf\nthr".encode(), tmp_path)

    part = read_tail(files, RUN, LogFile(path="log", size_bytes=14, attempt=1))

    assert (part.text, part.rest, part.next_offset) == ("one\nzwölf\n", "thr", 11)
    assert read_on(files, RUN, "log", 1, part.next_offset).rest == "thr"


def test_the_tail_of_a_long_log_begins_with_a_whole_line(tmp_path):
    data = b"".join(b"line %06d\n" % number for number in range(20_000))

    part = read_tail(files_with_log(data, tmp_path), RUN, LogFile(path="log", size_bytes=len(data), attempt=1))

    assert part.text.startswith("line ")
    assert part.text.endswith("line 019999\n")
    assert part.skipped_bytes == len(data) - len(part.text)


def test_a_line_longer_than_a_part_does_not_stop_the_reading(tmp_path):
    files = files_with_log(b"x" * (TAIL_BYTES + 10), tmp_path)

    part = read_on(files, RUN, "log", 1, 0)

    assert part.next_offset == TAIL_BYTES
    assert read_on(files, RUN, "log", 1, part.next_offset).rest == "x" * 10


def test_the_next_part_of_a_log_is_plain_data(client):
    part = client.get(f"/runs/{RUN}/log.json?path=logs/debug.txt&attempt=1&offset=6").json()

    assert (part["text"], part["next_offset"]) == ("line\n", 11)


def test_the_name_of_a_download_cannot_break_its_header():
    header = attachment('outputs/ä"\r\nSet-Cookie: x.txt')

    assert (
        header
        == "attachment; filename=\"____Set-Cookie_ x.txt\"; filename*=UTF-8''%C3%A4%22%0D%0ASet-Cookie%3A%20x.txt"
    )


def test_plotly_comes_from_the_installed_package_and_is_kept_for_a_year(client):
    response = client.get(plotly_path(), headers={"Accept-Encoding": "gzip"})

    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["content-encoding"] == "gzip"
    assert b"plotly.js" in response.content[:200]


def test_own_files_have_addresses_that_change_with_their_contents(client):
    for name in ("portal.css", "portal.js", "live.js", "icon.svg"):
        response = client.get(asset_path(name))
        assert response.status_code == 200
        assert "immutable" in response.headers["cache-control"]
    assert client.get("/static/older/portal.css").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fapp.py", "%2e%2e"])
def test_nothing_but_the_shipped_files_is_served(client, name):
    assert client.get(f"/static/x/{name}").status_code == 404


def test_packed_files_unpack_to_themselves():
    from sublight.portal.assets import _read

    content, packed, _ = _read("portal.css")
    assert gzip.decompress(packed) == content
