"""Datastores: folders that the workspace shares, also with people who put files there by hand, and with attackers."""

from __future__ import annotations

import errno
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sublight.core.errors import Conflict, InvalidInput, NameTaken, NotFound, SublightError
from sublight.messages.assets import DatastoreRequest, DatastoreView
from sublight.server.services.datastores import FIRST, Datastores
from sublight.store.datastores import DatastoreFiles, DatastoreWriter
from tests.server.test_attacks_paths import CANARY, PAYLOADS
from tests.server.world import OLGA, TestClient, World

CSV = b"text,label\nhello,1\n"
FILES = f"/api/v1/datastores/{FIRST}/files"


@pytest.fixture
def datastores(world: World) -> Datastores:
    return world.services.datastores


@pytest.fixture
def folder(world: World) -> Path:
    """The folder of the first datastore, as somebody at the machine has it."""
    return world.folder / "datastores" / FIRST


@pytest.fixture
def ann(world: World) -> TestClient:
    return world.client("ann", "data scientist")


@pytest.fixture
def rita(world: World) -> TestClient:
    return world.client("rita", "reader")


def put(client: TestClient, path: str, content: bytes = CSV, **query: Any) -> Any:
    return client.put(FILES, params={"path": path, **query}, content=content)


def paths(datastores: Datastores, prefix: str = "", name: str = FIRST) -> list[str]:
    return [file.path for file in datastores.files(name, prefix).files]


def incoming(world: World) -> list[Path]:
    return list((world.folder / "datastores" / ".incoming").iterdir())


# -- datastores -------------------------------------------------------------------------------------------------------


def test_every_workspace_has_one_from_the_start(world: World, datastores: Datastores) -> None:
    (first,) = datastores.list()

    assert (first.name, first.kind, first.is_default) == ("workspaceblobstore", "folder", True)
    assert Path(first.location) == (world.folder / "datastores" / FIRST).resolve()
    assert Path(first.location).is_dir()
    assert datastores.get(FIRST) == first


def test_a_new_one_keeps_its_kind_and_definition(datastores: Datastores) -> None:
    made = datastores.create(OLGA, DatastoreRequest(name="raw", kind="AzureBlob", definition={"container": "c"}))

    assert (made.kind, made.definition, made.is_default) == ("AzureBlob", {"container": "c"}, False)
    assert Path(made.location).is_dir()
    assert [one.name for one in datastores.list()] == ["raw", FIRST]


def test_a_name_that_is_taken_is_refused_unless_it_is_to_be_replaced(datastores: Datastores, ann: TestClient) -> None:
    put(ann, "a.csv")
    with pytest.raises(NameTaken, match=f"there is a datastore '{FIRST}' already"):
        datastores.create(OLGA, DatastoreRequest(name=FIRST))
    with pytest.raises(NameTaken, match="the same folder on some systems"):
        datastores.create(OLGA, DatastoreRequest(name=FIRST.upper()))

    replaced = datastores.create(OLGA, DatastoreRequest(name=FIRST, kind="AzureBlob", replaces=True))

    assert (replaced.kind, replaced.is_default) == ("AzureBlob", True)
    assert paths(datastores) == ["a.csv"]


def test_the_same_key_makes_it_once(datastores: Datastores) -> None:
    request = DatastoreRequest(name="raw")

    assert datastores.create(OLGA, request, "key") == datastores.create(OLGA, request, "key")
    with pytest.raises(NameTaken):
        datastores.create(OLGA, request, "another")


@pytest.mark.parametrize("name", ["", "a/b", "..", ".", ".incoming", "a b", "-a", "a" * 65, "ä", "a\0", "a\n", "C:"])
def test_a_name_that_is_no_plain_word_is_refused(world: World, datastores: Datastores, name: str) -> None:
    before = sorted(world.folder.rglob("*"))

    with pytest.raises(InvalidInput, match="the name of a datastore has 1 to 64 letters"):
        datastores.create(OLGA, DatastoreRequest(name=name))
    assert sorted(world.folder.rglob("*")) == before


def test_one_is_the_default(datastores: Datastores) -> None:
    datastores.create(OLGA, DatastoreRequest(name="raw"))

    def defaults() -> list[str]:
        return [one.name for one in datastores.list() if one.is_default]

    assert datastores.set_default(OLGA, "raw").is_default
    assert defaults() == ["raw"]
    datastores.set_default(OLGA, FIRST)
    assert defaults() == [FIRST]


def test_the_default_and_the_first_one_stay(datastores: Datastores) -> None:
    datastores.create(OLGA, DatastoreRequest(name="raw"))
    datastores.set_default(OLGA, "raw")

    with pytest.raises(Conflict, match="'raw' is the default one"):
        datastores.delete(OLGA, "raw")
    with pytest.raises(Conflict, match="belongs to every workspace"):
        datastores.delete(OLGA, FIRST)


def test_a_deleted_one_leaves_its_files(datastores: Datastores) -> None:
    made = datastores.create(OLGA, DatastoreRequest(name="raw"))
    (Path(made.location) / "a.csv").write_bytes(CSV)

    datastores.delete(OLGA, "raw")

    assert (Path(made.location) / "a.csv").read_bytes() == CSV
    with pytest.raises(NotFound, match=f"there is no datastore 'raw' in this workspace; it has {FIRST}"):
        datastores.files("raw")
    datastores.create(OLGA, DatastoreRequest(name="raw"))
    assert paths(datastores, name="raw") == ["a.csv"]


def test_changes_are_noted(world: World, datastores: Datastores, ann: TestClient) -> None:
    datastores.create(OLGA, DatastoreRequest(name="raw"))
    datastores.set_default(OLGA, "raw")
    put(ann, "a.csv")
    ann.delete(FILES, params={"path": "a.csv"})

    noted = [(entry.person, entry.action, entry.subject) for entry in world.people.audit(limit=4)]
    assert noted == [
        ("ann", "remove file", f"datastore:{FIRST}"),
        ("ann", "upload file", f"datastore:{FIRST}"),
        ("olga", "set default datastore", "datastore:raw"),
        ("olga", "create datastore", "datastore:raw"),
    ]


# -- files ------------------------------------------------------------------------------------------------------------


def test_what_is_uploaded_can_be_listed_and_read(ann: TestClient, rita: TestClient, folder: Path) -> None:
    assert put(ann, "raw/2020/a.csv", size_bytes=len(CSV)).json() == {"is_stored": True}

    (listed,) = rita.get(FILES).json()["files"]
    content = rita.get(f"{FILES}/content", params={"path": "raw/2020/a.csv"})
    assert (listed["path"], listed["size_bytes"]) == ("raw/2020/a.csv", len(CSV))
    assert content.content == CSV
    assert content.headers["content-length"] == str(len(CSV))
    assert content.headers["content-disposition"] == "attachment; filename*=utf-8''a.csv"
    assert "sandbox" in content.headers["content-security-policy"]
    assert (folder / "raw/2020/a.csv").read_bytes() == CSV


def test_a_file_that_is_there_is_replaced_only_when_asked(world: World, ann: TestClient, folder: Path) -> None:
    put(ann, "a.csv")

    assert put(ann, "a.csv", b"new").json() == {"is_stored": False}
    assert (folder / "a.csv").read_bytes() == CSV
    assert put(ann, "a.csv", b"new", overwrites=True).json() == {"is_stored": True}
    assert (folder / "a.csv").read_bytes() == b"new"
    assert incoming(world) == []


def test_an_upload_whose_answer_was_lost_is_not_told_that_its_file_was_there(ann: TestClient) -> None:
    headers = {"Idempotency-Key": "one"}

    answers = [ann.put(FILES, params={"path": "a"}, content=CSV, headers=headers).json() for _ in range(2)]

    assert answers == [{"is_stored": True}] * 2


def test_a_file_larger_than_other_requests_may_be_is_stored_in_pieces(ann: TestClient, folder: Path) -> None:
    content = os.urandom(10_000_000)

    assert put(ann, "big", content).status_code == 200
    assert (folder / "big").read_bytes() == content


def test_a_body_that_is_shorter_than_announced_is_not_stored(
    world: World, ann: TestClient, datastores: Datastores
) -> None:
    answer = put(ann, "a.csv", size_bytes=len(CSV) + 1)

    assert answer.status_code == 400
    assert "20 bytes were announced, but 19 came" in answer.json()["message"]
    assert paths(datastores) == []
    assert incoming(world) == []


def test_uploads_of_one_path_at_once_leave_one_whole_file(world: World, folder: Path) -> None:
    files = world.services.datastores
    answers: list[bool] = []

    def upload(number: int) -> None:
        writer = files.writer(FIRST, "deep/er/a.bin")
        try:
            for _ in range(20):
                writer.write(bytes([number]) * 1000)
            answers.append(files.store(OLGA, FIRST, "deep/er/a.bin", writer, overwrites=False))
        finally:
            writer.close()

    threads = [threading.Thread(target=upload, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    content = (folder / "deep/er/a.bin").read_bytes()
    assert content == content[:1] * 20_000
    assert sorted(answers) == [False] * 7 + [True]
    assert incoming(world) == []


def test_files_put_there_by_hand_are_files_of_the_datastore(
    datastores: Datastores, rita: TestClient, folder: Path
) -> None:
    (folder / "by hand").mkdir()
    (folder / "by hand/ä.csv").write_bytes(CSV)
    os.utime(folder / "by hand/ä.csv", (1_600_000_000, 1_600_000_000))

    (found,) = datastores.files(FIRST).files
    assert (found.path, found.size_bytes, found.modified) == ("by hand/ä.csv", len(CSV), 1_600_000_000)
    assert rita.get(f"{FILES}/content", params={"path": "by hand/ä.csv"}).content == CSV


def test_a_prefix_is_the_beginning_of_a_path(ann: TestClient, datastores: Datastores) -> None:
    for path in ("a/b/1", "a/b/2", "a/bc/3", "a/x", "ab", "b"):
        put(ann, path)

    assert paths(datastores, "a") == ["a/b/1", "a/b/2", "a/bc/3", "a/x", "ab"]
    assert paths(datastores, "a/b") == ["a/b/1", "a/b/2", "a/bc/3"]
    assert paths(datastores, "a/b/") == ["a/b/1", "a/b/2"]
    assert paths(datastores, "a/b/2") == ["a/b/2"]
    assert paths(datastores, "z") == []


def test_a_removed_file_takes_folders_with_it_that_are_empty_then(
    ann: TestClient, datastores: Datastores, folder: Path
) -> None:
    put(ann, "a/b/c/1")
    put(ann, "a/2")

    assert ann.delete(FILES, params={"path": "a/b/c/1"}).status_code == 204
    assert [file.name for file in folder.rglob("*")] == ["a", "2"]
    assert ann.delete(FILES, params={"path": "a/b/c/1"}).status_code == 404
    assert ann.delete(FILES, params={"path": "a"}).status_code == 409
    assert paths(datastores) == ["a/2"]
    ann.delete(FILES, params={"path": "a/2"})
    assert folder.is_dir()


@pytest.mark.parametrize(
    ("path", "sentence"),
    [("a", "'a' is a folder in this datastore"), ("a/b/c", "a part of 'a/b/c' is a file or a link")],
)
def test_a_file_and_a_folder_cannot_have_one_name(ann: TestClient, path: str, sentence: str) -> None:
    put(ann, "a/b")

    answer = put(ann, path, overwrites=True)

    assert answer.status_code == 409
    assert sentence in answer.json()["message"]


@given(
    names=st.sets(
        st.lists(st.sampled_from(["a", "b", "a.b", "a b", "A", "ä", "a-", "a0"]), min_size=1, max_size=3).map("/".join),
        max_size=12,
    ),
    limit=st.integers(1, 4),
    prefix=st.sampled_from(["", "a", "a/", "a.", "a/b", "b/", "ä"]),
)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_give_each_file_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, names: set[str], limit: int, prefix: str
) -> None:
    root = tmp_path_factory.mktemp("store")
    files = DatastoreFiles(root)
    files.make("d")
    stored = set()
    for name in names:
        place = root / "d" / name
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(b"")
            stored.add(name)
        except OSError:
            pass  # one of the names is another's folder

    found: list[str] = []
    after = ""
    while True:
        page = [file.path for _, file in zip(range(limit), files.list("d", prefix, after=after), strict=False)]
        found += page
        if len(page) < limit:
            break
        after = page[-1]

    assert found == sorted(name for name in stored if name.startswith(prefix))


def test_a_full_disk_is_said_and_leaves_nothing(
    world: World, ann: TestClient, datastores: Datastores, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("sublight.store.datastores.os.fsync", full)

    answer = put(ann, "a/b.csv")

    assert answer.status_code == 507
    assert answer.json()["message"].startswith("the disk that holds the workspace is full")
    assert paths(datastores) == []
    assert incoming(world) == []


def test_half_written_files_of_a_killed_server_are_removed(tmp_path: Path) -> None:
    writer = DatastoreFiles(tmp_path).writer("d", "a")
    writer.write(b"half")

    DatastoreFiles(tmp_path)

    assert list((tmp_path / ".incoming").iterdir()) == []
    writer.close()


# -- attacks ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def decoy(world: World) -> Iterator[Path]:
    """A file beside the datastores that nobody may reach through them, and one above."""
    decoy = world.folder / "datastores" / "decoy.txt"
    above = world.folder / "decoy.txt"
    for file in (decoy, above):
        file.write_bytes(CANARY)
    yield decoy
    assert above.read_bytes() == CANARY
    above.unlink()


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda text: ascii(text)[:40])
def test_no_path_leaves_the_datastore(world: World, ann: TestClient, decoy: Path, folder: Path, payload: str) -> None:
    outside = sorted(path for path in world.folder.rglob("*") if not path.is_relative_to(folder))
    for query in (quote(payload, safe=""), quote(quote(payload, safe=""), safe="")):
        read = ann.get(f"{FILES}/content?path={query}")
        assert read.status_code in (400, 404)
        assert CANARY not in read.content
        assert ann.delete(f"{FILES}?path={query}").status_code in (400, 404)
        listed = ann.get(f"{FILES}?prefix={query}")
        assert listed.status_code == 400 or listed.json()["files"] == []
        # A strange name may well be a good name; then its file lies in the datastore.
        assert ann.put(f"{FILES}?path={query}&overwrites=true", content=b"x").status_code in (200, 400)

    assert decoy.read_bytes() == CANARY
    database = {world.folder / f"sublight.db{end}" for end in ("", "-wal", "-shm")}
    now = {path for path in world.folder.rglob("*") if not path.is_relative_to(folder)}
    assert now - database == set(outside) - database


@pytest.mark.parametrize("name", ["..", ".", ".incoming", "%2e%2e", "..%2f..", "workspaceblobstore%2f..", "x%00"])
def test_no_name_leaves_the_datastores(world: World, ann: TestClient, decoy: Path, name: str) -> None:
    headers = {"authorization": ann.headers["authorization"]}
    for method, rest in (("GET", "/files"), ("GET", "/files/content"), ("DELETE", "/files"), ("GET", "")):
        assert world.ask(method, f"/api/v1/datastores/{name}{rest}", headers) in (400, 404, 405)
    assert decoy.read_bytes() == CANARY


def test_links_lead_nowhere(ann: TestClient, datastores: Datastores, decoy: Path, folder: Path) -> None:
    (folder / "link.txt").symlink_to(decoy)
    (folder / "out").symlink_to(decoy.parent)
    (folder / "loop").symlink_to("loop")
    (folder / "dir").mkdir()
    (folder / "dir/up").symlink_to("../..")

    assert paths(datastores) == []
    for path in ("link.txt", "out/decoy.txt", "loop", "loop/a", "dir/up/decoy.txt", "out"):
        answer = ann.get(f"{FILES}/content", params={"path": path})
        assert answer.status_code == 409
        assert "link" in answer.json()["message"]
    for path in ("out/new.txt", "dir/up/new.txt"):
        assert put(ann, path, overwrites=True).status_code == 409
    assert ann.delete(FILES, params={"path": "out/decoy.txt"}).status_code == 409
    assert decoy.read_bytes() == CANARY
    assert sorted(file.name for file in decoy.parent.iterdir()) == [".incoming", "decoy.txt", FIRST]


def test_an_upload_replaces_a_link_and_not_what_it_leads_to(ann: TestClient, decoy: Path, folder: Path) -> None:
    (folder / "link.txt").symlink_to(decoy)

    assert put(ann, "link.txt").json() == {"is_stored": False}
    assert put(ann, "link.txt", overwrites=True).json() == {"is_stored": True}
    assert not (folder / "link.txt").is_symlink()
    assert decoy.read_bytes() == CANARY


def test_a_datastore_whose_folder_is_a_link_is_not_followed(
    ann: TestClient, datastores: Datastores, decoy: Path, folder: Path
) -> None:
    folder.rmdir()
    folder.symlink_to(decoy.parent)

    assert ann.get(f"{FILES}/content", params={"path": "decoy.txt"}).status_code == 409
    assert put(ann, "new.txt").status_code == 409
    assert ann.get(FILES).status_code == 409
    assert not (decoy.parent / "new.txt").exists()


def test_pipes_sockets_and_folders_are_no_files(
    ann: TestClient, datastores: Datastores, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(folder)  # the name of a socket must be short
        listener.bind("socket")
    (folder / "dir").mkdir()

    assert paths(datastores) == []
    for path in ("pipe", "socket", "dir"):
        assert ann.get(f"{FILES}/content", params={"path": path}).status_code == 409


def test_a_name_that_is_no_text_does_not_spoil_the_list(datastores: Datastores, ann: TestClient, folder: Path) -> None:
    put(ann, "good")
    (Path(os.fsdecode(os.fsencode(folder) + b"/\xff"))).write_bytes(CSV)
    (folder / "back\\slash").write_bytes(CSV)
    (folder / "new\nline").write_bytes(CSV)

    assert paths(datastores) == ["good"]


@given(path=st.text(max_size=60))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_a_file_of_exactly_that_name_or_refused(
    tmp_path_factory: pytest.TempPathFactory, path: str
) -> None:
    root = tmp_path_factory.mktemp("any")
    files = DatastoreFiles(root)
    writer: DatastoreWriter | None = None
    try:
        writer = files.writer("d", path)
        writer.complete()
        writer.place(overwrites=False)
    except SublightError:
        assert [file for file in root.rglob("*") if file.is_file()] == []
    else:
        assert [file.path for file in files.list("d")] == [path]
    finally:
        if writer is not None:
            writer.close()


def test_readers_only_read(world: World, ann: TestClient, rita: TestClient) -> None:
    put(ann, "a.csv")
    for refused in (
        put(rita, "b.csv"),
        rita.delete(FILES, params={"path": "a.csv"}),
        rita.post("/api/v1/datastores", json={"name": "x"}),
        rita.post(f"/api/v1/datastores/{FIRST}/make-default"),
        rita.delete(f"/api/v1/datastores/{FIRST}"),
    ):
        assert refused.status_code == 403
    views = [DatastoreView(**one) for one in rita.get("/api/v1/datastores").json()]
    assert [one.name for one in views] == [FIRST]


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    files = DatastoreFiles(tmp_path)
    (tmp_path / "d").write_bytes(b"")

    with pytest.raises(Conflict, match="is a file where the datastore's folder belongs"):
        files.make("d")
    writer = files.writer("d", "a")
    writer.complete()
    with pytest.raises(Conflict, match="is a file where the datastore's folder belongs"):
        writer.place(overwrites=True)
    writer.close()
