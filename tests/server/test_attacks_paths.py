"""Paths that try to leave their place, against every address that takes one; a decoy beside the root must stay unread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from sublight.messages.definitions import SnapshotFile, SnapshotRequest
from sublight.store.logs import LogFiles
from tests.server.world import OLGA, TestClient, World, sha256

CANARY = b"canary-7f3a"

PAYLOADS = [
    "../decoy.txt",
    "../../decoy.txt",
    "../../../../../../../../etc/passwd",
    "..%2fdecoy.txt",
    "%2e%2e%2fdecoy.txt",
    "%252e%252e%252fdecoy.txt",
    "..\\decoy.txt",
    "..%5cdecoy.txt",
    "/etc/passwd",
    "//etc/passwd",
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "outputs/../../decoy.txt",
    "outputs/..;/..;/decoy.txt",
    ";..;/decoy.txt",
    "#/../decoy.txt",
    "?/../decoy.txt",
    "outputs/real.txt\0.png",
    "\0",
    "．．/decoy.txt",
    "․․/decoy.txt",
    "..／decoy.txt",
    "outputs/./real.txt",
    "outputs//real.txt",
    "outputs/real.txt/",
    "OUTPUTS/REAL.TXT",
    "~/.ssh/id_rsa",
    "a" * 5000,
    "../" * 1000 + "etc/passwd",
    "",
    ".",
    "..",
    "%",
    "*",
    "' OR 1=1 --",
]


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, str, str]]:
    """A workspace with one real artifact, log and snapshot file, and decoys all around its root."""
    outside = tmp_path_factory.mktemp("outside")
    world = World(outside / "workspace")
    for folder in (outside, world.folder, world.folder / "blobs", world.folder / "logs"):
        (folder / "decoy.txt").write_bytes(CANARY)
    run_id = world.run()
    world.files.put_artifact(run_id, 1, "outputs/real.txt", sha256(b"real"), [b"real"])
    file = SnapshotFile(path="outputs/real.txt", sha256=sha256(b"real"), size_bytes=4)
    snapshot_id = world.files.create_snapshot(OLGA, SnapshotRequest(files=[file])).id
    yield world, run_id, snapshot_id
    assert (outside / "decoy.txt").read_bytes() == CANARY
    world.close()


@pytest.fixture(scope="module")
def addresses(attacked: tuple[World, str, str]) -> list[str]:
    _, run_id, snapshot_id = attacked
    return [
        f"/api/v1/runs/{run_id}/artifacts/content",
        f"/api/v1/runs/{run_id}/logs/content",
        f"/api/v1/snapshots/{snapshot_id}/content",
        f"/runs/{run_id}/output",
        f"/runs/{run_id}/picture",
        f"/runs/{run_id}/log",
        f"/snapshots/{snapshot_id}/download",
    ]


@pytest.fixture(scope="module")
def rita(attacked: tuple[World, str, str]) -> TestClient:
    return attacked[0].client("rita", "reader")


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda text: ascii(text)[:40])
def test_no_address_reads_outside_what_the_run_left(rita: TestClient, addresses: list[str], payload: str) -> None:
    for address in addresses:
        for query in (quote(payload, safe=""), quote(quote(payload, safe=""), safe="")):
            answer = rita.get(f"{address}?path={query}")
            assert answer.status_code in (400, 404), (address, answer.status_code)
            assert CANARY not in answer.content
            assert b"root:" not in answer.content


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/runs/../../decoy.txt/artifacts",
        "/api/v1/snapshots/../../../decoy.txt",
        "/api/v1/snapshots/..%2f..%2fdecoy.txt",
        "/static/../decoy.txt",
        "/static/x/../../decoy.txt",
        "/static/x/..%2f..%2fdecoy.txt",
        "/static//etc/passwd",
        "/api/v1/blobs/../../decoy.txt",
    ],
)
def test_no_part_of_an_address_is_a_path_on_the_disk(attacked: tuple[World, str, str], path: str) -> None:
    headers = {"authorization": f"Bearer {attacked[0].token('rita', 'reader')}"}

    assert attacked[0].ask("GET", path, headers) in (400, 404, 405)


@pytest.mark.parametrize("payload", [text for text in PAYLOADS if text], ids=lambda text: ascii(text)[:40])
def test_logs_with_hostile_names_stay_in_their_folder(tmp_path: Path, payload: str) -> None:
    (tmp_path / "decoy.txt").write_bytes(CANARY)
    logs = LogFiles(tmp_path / "logs")

    logs.write_at("run-1", 1, payload, 0, b"text")

    assert logs.read("run-1", 1, payload, 0, 100) == b"text"
    assert (tmp_path / "decoy.txt").read_bytes() == CANARY
    (written,) = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "decoy.txt"]
    assert written.parent == tmp_path / "logs" / "run-1" / "1"
