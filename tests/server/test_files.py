"""Snapshots that come in, artifacts and logs that go out."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection

from sublight.core.errors import Conflict, InvalidInput, NotFound, TooLarge
from sublight.core.snapshot import SnapshotLimits
from sublight.messages.definitions import SnapshotFile, SnapshotRequest
from sublight.server.services.files import Files
from sublight.store import logs as log_rows
from sublight.store.blobs import BlobStore
from sublight.store.logs import LogFiles
from tests.server.world import OLGA, World, sha256

TRAIN = b"print('hello')\n"
LOG = "user_logs/std_log.txt"


@pytest.fixture
def files(world: World) -> Files:
    return world.files


def listed(path: str, content: bytes = TRAIN, **changes: Any) -> dict[str, Any]:
    return {"path": path, "sha256": sha256(content), "size_bytes": len(content), **changes}


def request(*files: dict[str, Any]) -> SnapshotRequest:
    return SnapshotRequest(files=[SnapshotFile(**file) for file in files])


def stored(files: Files, path: str = "train.py", content: bytes = TRAIN) -> str:
    files.put_blob(sha256(content), [content])
    return files.create_snapshot(OLGA, request(listed(path, content))).id


# -- snapshots ----------------------------------------------------------------------------------------------------------


def test_a_snapshot_comes_in_over_http_and_only_what_is_missing_is_sent(world: World) -> None:
    ann = world.client("ann", "data scientist")
    world.files.put_blob(sha256(b"old"), [b"old"])
    body = {"files": [listed("train.py"), listed("a/old.txt", b"old")]}

    first = ann.post("/api/v1/snapshots", json=body).json()
    sent = ann.put(f"/api/v1/blobs/{sha256(TRAIN)}", content=TRAIN)
    second = ann.post("/api/v1/snapshots", json={"files": body["files"][::-1]}).json()

    assert first["missing"] == [sha256(TRAIN)]
    assert sent.status_code == 204
    assert second == {"id": first["id"], "missing": []}
    view = ann.get(f"/api/v1/snapshots/{first['id']}").json()
    assert [file["path"] for file in view["files"]] == ["a/old.txt", "train.py"]
    assert view["size_bytes"] == len(TRAIN) + 3
    content = ann.get(f"/api/v1/snapshots/{first['id']}/content", params={"path": "train.py"})
    assert content.content == TRAIN


def test_a_snapshot_can_be_used_once_it_is_complete(files: Files) -> None:
    content = b"content of this test alone"
    snapshot_id = files.create_snapshot(OLGA, request(listed("train.py", content))).id

    with pytest.raises(Conflict, match="1 of its contents are missing"):
        files.require_complete(snapshot_id)
    files.put_blob(sha256(content), [content])

    assert files.require_complete(snapshot_id).files[0].path == "train.py"


def test_a_snapshot_that_lies_about_a_size_cannot_be_used(files: Files) -> None:
    files.put_blob(sha256(TRAIN), [TRAIN])
    snapshot_id = files.create_snapshot(OLGA, request(listed("train.py", size_bytes=1))).id

    with pytest.raises(InvalidInput, match=r"'train\.py' has 15 bytes, but its snapshot says 1"):
        files.require_complete(snapshot_id)


def test_content_with_another_hash_is_refused_and_invisible(world: World) -> None:
    ann = world.client("ann", "data scientist")

    answer = ann.put(f"/api/v1/blobs/{sha256(b'announced')}", content=b"sent")

    assert answer.status_code == 400
    assert "it changed on its way" in answer.json()["message"]
    assert world.stored_files() == []


@pytest.mark.parametrize("name", ["x", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 65, "a" * 64 + "\n"])
def test_a_content_has_no_name_but_its_hash(world: World, name: str) -> None:
    with pytest.raises(InvalidInput, match="64 lower-case hexadecimal digits"):
        world.files.put_blob(name, [b""])


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "a/../../x",
        "/etc/passwd",
        "..\\x",
        "a\\..\\x",
        "C:\\x",
        "C:/x",
        "file:///etc/passwd",
        "a\0b",
        "a\nb",
        "a//b",
        "./a",
        "a/.",
        "a/",
        "",
        ".",
        "..",
        "x" * 5000,
        "/".join(["x"] * 600),
    ],
)
def test_a_path_that_could_leave_its_folder_is_refused(world: World, path: str) -> None:
    ann = world.client("ann", "data scientist")

    answer = ann.post("/api/v1/snapshots", json={"files": [listed(path)]})

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_input"


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        ("a.py", "a.py", "once"),
        ("a", "a/b", "a file and a folder"),
        ("Train.py", "train.py", "differ only in upper and lower case"),
        ("data/A/x", "Data/a/x", "differ only in upper and lower case"),
    ],
)
def test_files_that_would_meet_on_a_node_are_refused(world: World, first: str, second: str, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        world.files.create_snapshot(OLGA, request(listed(first), listed(second)))


def test_more_files_than_the_limit_are_refused_with_the_limit(world: World) -> None:
    files = [listed(f"f{number}") for number in range(20_001)]

    answer = world.client("ann", "data scientist").post("/api/v1/snapshots", json={"files": files})

    assert answer.status_code == 413
    assert "20,001 files, and the limit is 20,000" in answer.json()["message"]


def test_more_bytes_than_the_limit_are_refused_with_the_limit(world: World) -> None:
    with pytest.raises(TooLarge, match=r"the limit is 5\.0 GB"):
        world.files.create_snapshot(OLGA, request(listed("big.csv", size_bytes=5_000_000_001)))


def test_an_upload_stops_at_the_limit_and_leaves_nothing(world: World) -> None:
    blobs = BlobStore(world.folder / "small")
    limits = SnapshotLimits(bytes_max=1000, files_max=10)
    logs = LogFiles(world.folder / "logs")
    files = Files(world.database, world.clock, blobs=blobs, log_files=logs, limits=limits)

    with pytest.raises(TooLarge, match=r"larger than the 1\.0 kB"):
        files.put_blob(sha256(b"x" * 2000), [b"x" * 500] * 4)

    assert [path for path in (world.folder / "small").rglob("*") if path.is_file()] == []


def test_a_node_gets_the_contents_of_its_snapshot_and_no_others(files: Files) -> None:
    snapshot_id = stored(files)
    files.put_blob(sha256(b"secret"), [b"secret"])

    assert files.snapshot_blob(snapshot_id, sha256(TRAIN)).read_bytes() == TRAIN
    with pytest.raises(NotFound):
        files.snapshot_blob(snapshot_id, sha256(b"secret"))


def test_an_uploaded_snapshot_is_in_the_audit_log_once(world: World) -> None:
    stored(world.files)
    stored(world.files)

    assert [entry.action for entry in world.people.audit()] == ["upload snapshot"]


# -- artifacts ------------------------------------------------------------------------------------------------------------


def test_an_artifact_comes_back_as_it_was_left(world: World) -> None:
    run_id = world.run()
    world.files.put_artifact(run_id, 1, "outputs/model.bin", sha256(b"model"), [b"mo", b"del"])
    rita = world.client("rita", "reader")

    (artifact,) = rita.get(f"/api/v1/runs/{run_id}/artifacts").json()
    content = rita.get(f"/api/v1/runs/{run_id}/artifacts/content", params={"path": "outputs/model.bin"})

    assert (artifact["path"], artifact["size_bytes"], artifact["sha256"]) == ("outputs/model.bin", 5, sha256(b"model"))
    assert content.content == b"model"


@pytest.mark.parametrize("name", ["page.html", "picture.svg", "x.xml", "notes.txt", "figure.png", "book.ipynb"])
def test_a_browser_never_shows_an_artifact(world: World, name: str) -> None:
    run_id = world.run()
    world.files.put_artifact(run_id, 1, f"outputs/{name}", sha256(b"<script>"), [b"<script>"])

    answer = world.client("rita", "reader").get(
        f"/api/v1/runs/{run_id}/artifacts/content", params={"path": f"outputs/{name}"}
    )

    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_name_with_quotes_and_breaks_cannot_change_the_headers(world: World) -> None:
    run_id = world.run()
    path = 'outputs/a"; filename="x.html'
    world.files.put_artifact(run_id, 1, path, sha256(b""), [])

    answer = world.client("rita", "reader").get(f"/api/v1/runs/{run_id}/artifacts/content", params={"path": path})

    assert answer.status_code == 200
    assert '"x.html' not in answer.headers["content-disposition"]
    with pytest.raises(InvalidInput):
        world.files.put_artifact(run_id, 1, "outputs/a\r\nSet-Cookie: x", sha256(b""), [])


def test_an_older_attempt_does_not_replace_what_a_newer_one_left(files: Files, world: World) -> None:
    run_id = world.run()
    files.put_artifact(run_id, 2, "outputs/m", sha256(b"new"), [b"new"])

    with pytest.raises(Conflict, match="superseded"):
        files.put_artifact(run_id, 1, "outputs/m", sha256(b"old"), [b"old"])

    assert files.open_artifact(run_id, "outputs/m")[0].read_bytes() == b"new"


def test_the_same_attempt_may_upload_again(files: Files, world: World) -> None:
    run_id = world.run()

    for content in (b"one", b"two", b"two"):
        files.put_artifact(run_id, 1, "outputs/m", sha256(content), [content])

    assert [artifact.size_bytes for artifact in files.artifacts(run_id)] == [3]
    assert files.open_artifact(run_id, "outputs/m")[0].read_bytes() == b"two"


def test_an_attempt_that_stopped_counting_stores_nothing(files: Files, world: World) -> None:
    run_id = world.run()

    def refuse(_connection: Connection) -> None:
        raise Conflict("stale")

    with pytest.raises(Conflict, match="stale"):
        files.put_artifact(run_id, 1, "outputs/m", sha256(b"x"), [b"x"], check=refuse)

    assert files.artifacts(run_id) == []


@pytest.mark.parametrize("path", ["../x", "/x", "a\\b", "a\0", "", "a/../b"])
def test_an_artifact_needs_a_safe_path(world: World, path: str) -> None:
    with pytest.raises(InvalidInput):
        world.files.put_artifact(world.run(), 1, path, sha256(b""), [])


def test_a_lost_content_is_said_to_be_lost(world: World) -> None:
    run_id = world.run()
    world.files.put_artifact(run_id, 1, "outputs/m", sha256(b"x"), [b"x"])
    world.files.open_artifact(run_id, "outputs/m")[0].unlink()

    answer = world.client("rita", "reader").get(
        f"/api/v1/runs/{run_id}/artifacts/content", params={"path": "outputs/m"}
    )

    assert answer.status_code == 404
    assert "not in this workspace (any more)" in answer.json()["message"]


# -- logs -----------------------------------------------------------------------------------------------------------------


def write_log(world: World, run_id: str, attempt: int, text: bytes, path: str = LOG) -> None:
    LogFiles(world.folder / "logs").write_at(run_id, attempt, path, 0, text)
    with world.database.write() as connection:
        log_rows.store_size(connection, run_id, attempt, path, len(text))


def test_a_log_is_read_in_pieces(world: World) -> None:
    run_id = world.run()
    write_log(world, run_id, 1, b"0123456789")
    rita = world.client("rita", "reader")

    def piece(**values: int) -> bytes:
        return rita.get(f"/api/v1/runs/{run_id}/logs/content", params={"path": LOG, **values}).content

    assert piece() == b"0123456789"
    assert piece(offset=4, limit=3) == b"456"
    assert piece(offset=10) == b""
    assert rita.get(f"/api/v1/runs/{run_id}/logs").json() == [{"path": LOG, "size_bytes": 10, "attempt": 1}]


def test_the_log_of_the_last_attempt_is_read_unless_one_is_named(world: World) -> None:
    run_id = world.run()
    write_log(world, run_id, 1, b"first")
    write_log(world, run_id, 2, b"second")

    assert world.files.read_log(run_id, LOG, 0, 100) == b"second"
    assert world.files.read_log(run_id, LOG, 0, 100, attempt=1) == b"first"


def test_bytes_that_were_not_committed_are_not_shown(world: World) -> None:
    run_id = world.run()
    write_log(world, run_id, 1, b"kept")
    LogFiles(world.folder / "logs").write_at(run_id, 1, LOG, 4, b" not yet")

    assert world.files.read_log(run_id, LOG, 0, 100) == b"kept"


def test_a_log_with_markup_stays_text(world: World) -> None:
    run_id = world.run()
    write_log(world, run_id, 1, b"<script>alert(1)</script>")

    answer = world.client("rita", "reader").get(f"/api/v1/runs/{run_id}/logs/content", params={"path": LOG})

    assert answer.headers["content-type"].startswith("text/plain")
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("values", [{"offset": -1}, {"limit": -5}, {"offset": "x"}])
def test_offsets_must_be_numbers_from_zero_on(world: World, values: dict[str, object]) -> None:
    run_id = world.run()

    answer = world.client("rita", "reader").get(f"/api/v1/runs/{run_id}/logs/content", params={"path": LOG, **values})

    assert answer.status_code == 400
    assert next(iter(values)) in answer.json()["message"]


def test_an_unknown_run_and_an_unknown_log_are_named(world: World) -> None:
    rita = world.client("rita", "reader")
    run_id = world.run()

    assert "no run 'nope'" in rita.get("/api/v1/runs/nope/logs").json()["message"]
    answer = rita.get(f"/api/v1/runs/{run_id}/logs/content", params={"path": "logs/x"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
