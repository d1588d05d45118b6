"""Datasets, models, environments and addresses: versions, contents that are shared, and who may do what."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sublight.core.errors import Conflict, InvalidInput, NotFound, TooLarge
from sublight.core.snapshot import check_path
from sublight.messages.assets import AssetFile, AssetRequest, AssetUpdate, AssetView, RunFiles
from sublight.messages.definitions import SnapshotFile, SnapshotRequest
from sublight.server.services.assets import ADDRESS_LENGTH_MAX, DEFINITION_BYTES_MAX, Assets
from tests.server.test_attacks_paths import PAYLOADS
from tests.server.world import OLGA, World, sha256

CSV = b"text,label\nhello,1\n"


@pytest.fixture
def assets(world: World) -> Assets:
    return world.services.assets


def listed(path: str, content: bytes = CSV) -> AssetFile:
    return AssetFile(path=path, sha256=sha256(content), size_bytes=len(content))


def request(*files: AssetFile, **values: Any) -> AssetRequest:
    return AssetRequest(**{"kind": "dataset", "name": "news", "files": list(files), **values})


def registered(world: World, content: bytes = CSV, key: str | None = None, **values: Any) -> AssetView:
    """A version with one file, ``train.csv``, unless told otherwise."""
    world.files.put_blob(sha256(content), [content])
    files = [] if "from_run" in values else [listed("train.csv", content)]
    asset = world.services.assets.register(OLGA, request(*files, **values), key).asset
    assert asset is not None
    return asset


def blobs(world: World) -> set[str]:
    return {file.name for file in world.stored_files()}


def actions(world: World) -> list[str]:
    return [entry.action for entry in world.people.audit(limit=50)]


# -- registering ------------------------------------------------------------------------------------------------------


def test_a_name_counts_its_versions_from_1(world: World) -> None:
    versions = [registered(world, name=name).version for name in ("news", "news", "other", "news")]

    assert versions == [1, 2, 1, 3]


def test_kinds_count_apart(world: World) -> None:
    registered(world)

    assert registered(world, kind="model").version == 1


def test_missing_contents_are_named_and_nothing_is_registered_until_they_are_here(world: World, assets: Assets) -> None:
    world.files.put_blob(sha256(CSV), [CSV])
    wanted = request(listed("a.csv"), listed("b.csv", b"new"))

    first = assets.register(OLGA, wanted, "key")
    assert (first.asset, first.missing) == (None, [sha256(b"new")])
    assert assets.list().assets == []

    world.files.put_blob(sha256(b"new"), [b"new"])
    second = assets.register(OLGA, wanted, "key")
    assert second.asset is not None
    assert (second.asset.version, second.asset.files_count, second.asset.size_bytes) == (1, 2, len(CSV) + 3)


def test_the_same_key_gives_the_same_version_again(world: World, assets: Assets) -> None:
    assert registered(world, key="k") == registered(world, key="k")
    assert len(assets.list().assets) == 1
    with pytest.raises(InvalidInput, match="idempotency key came before"):
        registered(world, key="k", description="another")


def test_versions_registered_at_once_are_all_different(world: World, assets: Assets) -> None:
    world.files.put_blob(sha256(CSV), [CSV])
    versions: list[int] = []

    def register() -> None:
        for _ in range(5):
            asset = assets.register(OLGA, request(listed("a.csv"))).asset
            assert asset is not None
            versions.append(asset.version)

    threads = [threading.Thread(target=register) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(versions) == list(range(1, 31))


def test_a_deleted_version_number_is_never_given_again(world: World, assets: Assets) -> None:
    registered(world)
    assets.delete(OLGA, registered(world).id)

    assert registered(world).version == 3


def test_a_definition_needs_no_file(assets: Assets) -> None:
    definition = {"type": "file", "paths": [{"datastore": "workspaceblobstore", "path": "**"}]}

    asset = assets.register(OLGA, request(definition=definition)).asset

    assert asset is not None
    assert (asset.definition, asset.size_bytes) == (definition, 0)
    assert assets.files(asset.id) == []


def test_what_is_said_with_it_is_kept(world: World, assets: Assets) -> None:
    run_id = world.run()

    asset = registered(
        world, description="News.", tags={"a": "b"}, properties={"p": "q"}, definition={"x": [1, None]}, run_id=run_id
    )

    assert assets.get(asset.id) == asset
    assert (asset.description, asset.tags, asset.properties) == ("News.", {"a": "b"}, {"p": "q"})
    assert (asset.definition, asset.run_id, asset.experiment) == ({"x": [1, None]}, run_id, "e")
    assert (asset.created_by, asset.created, asset.is_archived) == ("olga", world.clock.now(), False)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"name": ""}, "the name of a dataset has 1 to 255 printable characters"),
        ({"name": " news"}, "no blank at its ends"),
        ({"name": "a\nb"}, "printable"),
        ({"name": "a" * 256}, "1 to 255"),
        ({"kind": "address", "name": "news"}, "an address looks like https://host/path"),
        ({"kind": "address", "name": "https://"}, "an address looks like"),
        ({"kind": "address", "name": "https://x/" + "a" * ADDRESS_LENGTH_MAX}, "at most 2048 characters"),
        ({"kind": "address", "name": "https://x/y", "files": []}, "stands for exactly one file, got 0"),
        ({"files": [listed("a"), listed("a")]}, "a dataset holds each path once"),
        ({"files": [listed("a"), listed("a/b")]}, "cannot be a file and a folder at once in a dataset"),
        ({"files": [listed("../a")]}, "has the part '..'"),
        ({"files": [AssetFile(path="a", sha256="X", size_bytes=1)]}, "64 lower-case hexadecimal digits"),
        ({"files": [AssetFile(path="a", sha256=sha256(CSV), size_bytes=-1)]}, "must not be negative"),
        ({"files": [AssetFile(path="a", sha256=sha256(CSV), size_bytes=1)]}, "1 were announced"),
        ({"from_run": RunFiles(run_id="r", path="")}, "either from the request or from a run"),
        ({"definition": {"x": "a" * DEFINITION_BYTES_MAX}}, "keep long lists in a file"),
        ({"tags": {"x": "a" * 70_000}}, "keep long texts in a file"),
        ({"run_id": "nope"}, "there is no run 'nope'"),
    ],
)
def test_a_wrong_request_is_refused_with_a_sentence(
    world: World, assets: Assets, values: dict[str, Any], sentence: str
) -> None:
    world.files.put_blob(sha256(CSV), [CSV])

    with pytest.raises((InvalidInput, TooLarge, NotFound), match=sentence):
        assets.register(OLGA, request(**{"files": [listed("a.csv")], **values}))
    assert assets.list().assets == []


# -- from a run -------------------------------------------------------------------------------------------------------


@pytest.fixture
def run_id(world: World) -> str:
    run_id = world.run()
    for path in ("outputs/model/a.bin", "outputs/model/deep/b.bin", "outputs/models.txt", "logs/x.txt"):
        world.files.put_artifact(run_id, 1, path, sha256(path.encode()), [path.encode()])
    return run_id


@pytest.mark.parametrize(
    ("path", "paths"),
    [
        ("outputs/model/a.bin", ["a.bin"]),
        ("outputs/model", ["model/a.bin", "model/deep/b.bin"]),
        ("outputs/model/", ["model/a.bin", "model/deep/b.bin"]),
        ("logs", ["logs/x.txt"]),
        ("", ["logs/x.txt", "outputs/model/a.bin", "outputs/model/deep/b.bin", "outputs/models.txt"]),
    ],
)
def test_what_a_run_left_is_registered_without_a_download(
    world: World, assets: Assets, run_id: str, path: str, paths: list[str]
) -> None:
    asset = registered(world, kind="model", from_run=RunFiles(run_id=run_id, path=path))

    assert [file.path for file in assets.files(asset.id)] == paths
    assert (asset.run_id, asset.experiment) == (run_id, "e")
    assert assets.open_file(asset.id, paths[0]).is_file()


def test_a_path_that_a_run_did_not_leave_names_what_it_left(world: World, run_id: str) -> None:
    with pytest.raises(NotFound, match=f"run {run_id} has no file or folder 'outputs/mode'; it left logs/x.txt, "):
        registered(world, from_run=RunFiles(run_id=run_id, path="outputs/mode"))


def test_artifacts_whose_content_is_gone_are_not_registered(world: World, assets: Assets, run_id: str) -> None:
    for file in world.stored_files():
        file.unlink()

    with pytest.raises(NotFound, match="are not in this workspace"):
        assets.register(OLGA, request(from_run=RunFiles(run_id=run_id, path="logs")))


# -- finding ----------------------------------------------------------------------------------------------------------


def test_a_list_is_newest_first_and_can_be_narrowed(world: World, assets: Assets) -> None:
    run = world.run()
    first = registered(world, tags={"team": "red"})
    second = registered(world, run_id=run)
    other = registered(world, name="other", tags={"team": "blue"})
    model = registered(world, kind="model")

    def ids(**filters: Any) -> list[str]:
        return [one.id for one in assets.list(**filters).assets]

    assert ids() == [model.id, other.id, second.id, first.id]
    assert ids(kind="dataset") == [other.id, second.id, first.id]
    assert ids(kind="dataset", name="news") == [second.id, first.id]
    assert ids(kind="dataset", is_latest_only=True) == [other.id, second.id]
    assert ids(tag="team") == [other.id, first.id]
    assert ids(tag="team=red", is_latest_only=True) == [first.id]
    assert ids(run_id=run) == [second.id]
    assert ids(tag='te"am') == []


def test_a_long_list_comes_in_pages(world: World, assets: Assets) -> None:
    for _ in range(5):
        registered(world)

    first = assets.list(limit=2)
    second = assets.list(limit=2, before=first.next_before)
    third = assets.list(limit=2, before=second.next_before)

    versions = [[one.version for one in page.assets] for page in (first, second, third)]
    assert versions == [[5, 4], [3, 2], [1]]
    assert third.next_before is None
    with pytest.raises(InvalidInput, match="before must come from the page"):
        assets.list(before="x")


def test_a_name_means_its_newest_version(world: World, assets: Assets) -> None:
    first, second = registered(world), registered(world)

    assert assets.named("dataset", "news") == second
    assert assets.named("dataset", "news", 1) == first


def test_what_is_not_there_is_said_with_what_is(world: World, assets: Assets) -> None:
    registered(world)

    with pytest.raises(NotFound, match="there is no dataset 'newz' in this workspace; did you mean 'news'"):
        assets.named("dataset", "newz")
    with pytest.raises(NotFound, match="dataset 'news' has no version 7; it has 1"):
        assets.named("dataset", "news", 7)
    with pytest.raises(NotFound, match="'https://x/y' is not mapped"):
        assets.named("address", "https://x/y")
    with pytest.raises(NotFound, match="no asset with the id 'nope'"):
        assets.get("nope")


# -- changing ---------------------------------------------------------------------------------------------------------


def test_tags_are_merged_properties_are_added_and_the_rest_is_replaced(world: World, assets: Assets) -> None:
    asset = registered(world, tags={"a": "1", "b": "2"}, properties={"p": "1"}, definition={"x": 1})
    world.clock.advance(60)

    changed = assets.update(
        OLGA,
        asset.id,
        AssetUpdate(description="New.", tags={"a": None, "c": "3"}, properties={"p": "1", "q": "2"}, definition={}),
    )

    assert (changed.description, changed.tags) == ("New.", {"b": "2", "c": "3"})
    assert (changed.properties, changed.definition) == ({"p": "1", "q": "2"}, {})
    assert changed.modified == asset.created + 60
    assert actions(world)[0] == "update dataset"


def test_a_property_that_is_set_stays(world: World, assets: Assets) -> None:
    asset = registered(world, properties={"p": "1"})

    with pytest.raises(Conflict, match="property 'p' of dataset 'news' version 1 is '1' and cannot be changed"):
        assets.update(OLGA, asset.id, AssetUpdate(properties={"p": "2"}))


def test_a_change_that_changes_nothing_is_not_noted(world: World, assets: Assets) -> None:
    asset = registered(world, tags={"a": "1"})

    assert assets.update(OLGA, asset.id, AssetUpdate(tags={"a": "1"})) == asset
    assert "update dataset" not in actions(world)


def test_an_archived_version_is_out_of_lists_but_can_be_used(world: World, assets: Assets) -> None:
    first, second = registered(world), registered(world)
    archived = assets.update(OLGA, second.id, AssetUpdate(is_archived=True))

    assert [one.id for one in assets.list().assets] == [first.id]
    assert len(assets.list(includes_archived=True).assets) == 2
    assert assets.named("dataset", "news") == first
    assert assets.named("dataset", "news", 2) == archived
    assets.update(OLGA, first.id, AssetUpdate(is_archived=True))
    assert assets.named("dataset", "news").version == 2
    assert assets.update(OLGA, second.id, AssetUpdate(is_archived=False)).is_archived is False
    assert [one.id for one in assets.list().assets] == [second.id]


# -- deleting ---------------------------------------------------------------------------------------------------------


def test_a_deleted_version_takes_its_contents_with_it(world: World, assets: Assets) -> None:
    asset = registered(world)

    assets.delete(OLGA, asset.id)

    assert blobs(world) == set()
    assert actions(world)[0] == "delete dataset"
    with pytest.raises(NotFound):
        assets.delete(OLGA, asset.id)


def test_a_content_that_another_version_needs_stays(world: World, assets: Assets) -> None:
    registered(world)

    assets.delete(OLGA, registered(world, kind="model").id)

    assert blobs(world) == {sha256(CSV)}


def test_a_content_that_a_run_left_stays(world: World, assets: Assets) -> None:
    world.files.put_artifact(world.run(), 1, "outputs/train.csv", sha256(CSV), [CSV])

    assets.delete(OLGA, registered(world).id)

    assert blobs(world) == {sha256(CSV)}


def test_a_content_that_a_snapshot_needs_stays(world: World, assets: Assets) -> None:
    file = SnapshotFile(path="train.csv", sha256=sha256(CSV), size_bytes=len(CSV))
    world.files.create_snapshot(OLGA, SnapshotRequest(files=[file]))

    assets.delete(OLGA, registered(world).id)

    assert blobs(world) == {sha256(CSV)}


@given(
    held=st.lists(
        st.tuples(st.sampled_from(["asset", "artifact", "snapshot"]), st.sets(st.integers(0, 5), min_size=1)),
        min_size=1,
        max_size=8,
    )
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_deleted_nothing_that_is_left_loses_a_content(
    world: World, held: list[tuple[str, set[int]]]
) -> None:
    world.empty()
    made: list[AssetView] = []
    needed: set[str] = set()
    for number, (holder, contents) in enumerate(held):
        data = {f"f{content}": f"content {content}".encode() for content in contents}
        for one in data.values():
            world.files.put_blob(sha256(one), [one])
        if holder == "asset":
            files = [listed(path, one) for path, one in data.items()]
            asset = world.services.assets.register(OLGA, request(*files)).asset
            assert asset is not None
            made.append(asset)
            continue
        needed |= {sha256(one) for one in data.values()}
        if holder == "artifact":
            run_id = world.run(f"exp-{number}")
            for path, one in data.items():
                world.files.put_artifact(run_id, 1, path, sha256(one), [one])
        else:
            chosen = [SnapshotFile(path=path, sha256=sha256(one), size_bytes=len(one)) for path, one in data.items()]
            world.files.create_snapshot(OLGA, SnapshotRequest(files=chosen))

    for asset in made:
        world.services.assets.delete(OLGA, asset.id)

    assert blobs(world) == needed


# -- over HTTP --------------------------------------------------------------------------------------------------------


def test_readers_look_and_download_and_scientists_change(world: World) -> None:
    scientist, reader = world.client("ann", "data scientist"), world.client("rita", "reader")
    body = {"kind": "dataset", "name": "news", "files": [{"path": "a.csv", "sha256": sha256(CSV), "size_bytes": 19}]}

    asked = scientist.post("/api/v1/assets", json=body)
    assert (asked.status_code, asked.json()) == (200, {"asset": None, "missing": [sha256(CSV)]})
    assert scientist.put(f"/api/v1/blobs/{sha256(CSV)}?size_bytes=19", content=CSV).status_code == 204
    made = scientist.post("/api/v1/assets", json=body)
    assert made.status_code == 201
    path = f"/api/v1/assets/{made.json()['asset']['id']}"

    assert reader.get(path).json()["version"] == 1
    assert [file["path"] for file in reader.get(f"{path}/files").json()] == ["a.csv"]
    content = reader.get(f"{path}/content", params={"path": "a.csv"})
    assert content.content == CSV
    assert content.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in content.headers["content-security-policy"]
    for refused in (
        reader.post("/api/v1/assets", json=body),
        reader.patch(path, json={"tags": {"a": "b"}}),
        reader.delete(path),
    ):
        assert refused.status_code == 403
        assert "needs the role data scientist" in refused.json()["message"]
    assert scientist.patch(path, json={"tags": {"a": "b"}}).json()["tags"] == {"a": "b"}
    assert scientist.delete(path).status_code == 204
    assert reader.get(path).status_code == 404


def test_an_address_as_a_name_travels_whole(world: World) -> None:
    url = "https://example.org/a/b.csv?x=1&y=ä b#c".replace(" ", "%20")
    registered(world, kind="address", name=url)

    answer = world.client("rita", "reader").get("/api/v1/assets/named", params={"kind": "address", "name": url})

    assert answer.json()["name"] == url


@pytest.mark.parametrize(
    "payload", [*PAYLOADS, "TRAIN.CSV", "train.csv/", "./train.csv"], ids=lambda text: ascii(text)[:40]
)
def test_only_the_files_of_the_asset_can_be_read(world: World, payload: str) -> None:
    asset = registered(world)
    client = world.client("rita", "reader")
    for query in (quote(payload, safe=""), quote(quote(payload, safe=""), safe="")):
        assert client.get(f"/api/v1/assets/{asset.id}/content?path={query}").status_code == 404


def test_a_field_that_is_not_known_is_named(world: World) -> None:
    answer = world.client("ann", "data scientist").post(
        "/api/v1/assets", json={"kind": "dataset", "name": "n", "discription": "x"}
    )

    assert answer.status_code == 400
    assert answer.json()["message"] == '"discription" is not a field of an asset; did you mean "description"?'


@given(path=st.text(max_size=40))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_path_is_either_kept_exactly_or_refused(world: World, tmp_path: Path, path: str) -> None:
    world.files.put_blob(sha256(CSV), [CSV])
    try:
        check_path(path)
        is_safe = True
    except InvalidInput:
        is_safe = False
    try:
        asset = world.services.assets.register(OLGA, request(listed(path))).asset
    except InvalidInput:
        assert not is_safe
    else:
        assert is_safe
        assert asset is not None
        assert world.services.assets.open_file(asset.id, path).is_file()
