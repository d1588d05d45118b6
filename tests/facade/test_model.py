"""Models: registered from files of this machine or of a run, found, downloaded, changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from azureml.core import Dataset, Model, Workspace
from azureml.core.model import InferenceConfig
from azureml.core.resource_configuration import ResourceConfiguration
from azureml.exceptions import ModelNotFoundException, NotSupportedByFacade, WebserviceException
from tests.facade.data_files import write
from tests.facade.in_process import served_workspace


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with served_workspace(tmp_path_factory.mktemp("served") / "root") as (workspace, _):
        yield workspace


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AZUREML_MODEL_DIR", raising=False)
    monkeypatch.setenv("SUBLIGHT_COPIES", str(tmp_path / "copies"))


def register(ws: Workspace, name: str, text: str = "weights", **settings: object) -> Model:
    return Model.register(ws, str(write(Path("outputs/model.pkl"), text)), name, **settings)  # type: ignore[arg-type]


def test_a_file_becomes_the_next_version_of_a_model(ws: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    register(ws, "file")
    model = register(
        ws,
        "file",
        tags={"area": "text", "depth": 3},
        properties={"accuracy": "0.9"},
        description="a model",
        model_framework=Model.Framework.SCIKITLEARN,
        model_framework_version="0.22",
        resource_configuration=ResourceConfiguration(cpu=1, memory_in_gb=0.5),
    )

    assert (model.name, model.version, model.id) == ("file", 2, "file:2")
    assert (model.tags, model.properties) == ({"area": "text", "depth": "3"}, {"accuracy": "0.9"})
    assert (model.description, model.model_framework, model.model_framework_version) == (
        "a model",
        "ScikitLearn",
        "0.22",
    )
    assert model.resource_configuration.memory_in_gb == 0.5
    assert model.created_time.tzinfo is not None
    assert (model.run_id, model.experiment_name, model.run) == (None, None, None)
    assert "Registering model file" in capsys.readouterr().out
    assert ws.models["file"].version == 2


def test_a_model_is_found_by_name_version_and_id(ws: Workspace) -> None:
    register(ws, "found")
    register(ws, "found", "better")

    assert Model(ws, "found").version == 2
    assert Model(ws, name="found", version=1).version == 1
    assert Model(ws, id="found:1").version == 1
    assert Model(ws, "found:2").version == 2


@pytest.mark.parametrize("asked", [{"name": "nothing"}, {"name": "there", "version": 9}, {"id": "nothing:1"}, {}])
def test_a_model_that_is_not_there_raises_what_scripts_catch(ws: Workspace, asked: dict[str, object]) -> None:
    register(ws, "there")

    with pytest.raises(WebserviceException):
        Model(ws, **asked)  # type: ignore[arg-type]


def test_models_are_listed_by_name_tags_and_properties(ws: Workspace) -> None:
    register(ws, "listed", tags={"a": "1"}, properties={"p": "x"})
    register(ws, "listed", tags={"a": "2", "b": "3"}, model_framework="Onnx")

    def versions(**filters: object) -> list[int]:
        return [model.version for model in Model.list(ws, name="listed", **filters)]  # type: ignore[arg-type]

    assert versions() == [2, 1]
    assert versions(latest=True) == [2]
    assert versions(tags=["a"]) == [2, 1]
    assert versions(tags=[["a", "1"]]) == [1]
    assert versions(tags=["b", ["a", "2"]]) == [2]
    assert versions(tags={"a": "1"}) == [1]
    assert versions(properties=[["p", "x"]]) == [1]
    assert versions(model_framework="Onnx") == [2]
    assert Model(ws, "listed", tags=[["a", "1"]]).version == 1


def test_impossible_names_and_paths(ws: Workspace) -> None:
    with pytest.raises(WebserviceException, match="begins with"):
        register(ws, "my model")
    with pytest.raises(WebserviceException, match="no file or folder"):
        Model.register(ws, "outputs/none.pkl", "none")


def test_a_file_is_downloaded_once_unless_it_may_be_replaced(ws: Workspace) -> None:
    model = register(ws, "download", "weights")

    assert model.download(target_dir="down") == str(Path("down/model.pkl"))
    assert Path("down/model.pkl").read_text() == "weights"
    with pytest.raises(WebserviceException, match="exist_ok=True"):
        model.download(target_dir="down")
    assert model.download(target_dir="down", exist_ok=True) == str(Path("down/model.pkl"))


def test_a_folder_is_downloaded_as_a_folder(ws: Workspace) -> None:
    write(Path("saved/keras.json"), "{}")
    write(Path("saved/weights/1.bin"), "1")

    model = Model.register(workspace=ws, model_path="saved", model_name="folder")
    part = Model.register(ws, "saved", "part", child_paths=["keras.json"])

    assert model.download("down") == str(Path("down/saved"))
    assert Path("down/saved/weights/1.bin").read_text() == "1"
    assert sorted(path.name for path in Path(part.download("part")).iterdir()) == ["keras.json"]
    with pytest.raises(WebserviceException, match=r"other\.json"):
        Model.register(ws, "saved", "part", child_paths=["other.json"])


def test_labels_change(ws: Workspace) -> None:
    model = register(ws, "labels", tags={"a": "1"})

    model.add_tags({"b": "2"})
    model.remove_tags(["a"])
    model.add_properties({"p": "1"})
    model.update(description="new")
    model.update_tags_properties(add_tags={"c": "3"}, remove_tags=["b"], add_properties={"q": "2"})

    assert (model.tags, model.properties, model.description) == ({"c": "3"}, {"p": "1", "q": "2"}, "new")
    assert Model(ws, "labels").tags == {"c": "3"}
    model.update(tags={"only": "this"})
    assert model.tags == {"only": "this"}
    with pytest.raises(WebserviceException, match="'p'"):
        model.add_properties({"p": "other"})


def test_datasets_are_remembered_with_a_model(ws: Workspace) -> None:
    dataset = Dataset.Tabular.from_delimited_files(str(write(Path("d.csv"), "a\n1\n"))).register(ws, "of-model")
    model = register(ws, "with-data", datasets=[("training data", dataset)])
    other = Dataset.Tabular.from_delimited_files(str(write(Path("e.csv"), "a\n2\n")))

    model.add_dataset_references([("test data", other)])

    assert model.datasets["training data"] == [dataset.id]
    assert len(model.datasets["test data"]) == 1
    assert [one.name for one in Model.list(ws, dataset_id=dataset.id)] == ["with-data"]


def test_a_deleted_version_is_gone(ws: Workspace) -> None:
    register(ws, "deleted")
    register(ws, "deleted", "two").delete()

    assert [model.version for model in Model.list(ws, "deleted")] == [1]
    Model(ws, "deleted").delete()
    with pytest.raises(WebserviceException):
        Model(ws, "deleted")


def test_the_path_of_a_model_is_found_here_or_downloaded(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    register(ws, "scored")

    with pytest.raises(ModelNotFoundException, match="workspace"):
        Model.get_model_path("scored", version=1)
    path = Model.get_model_path("scored", _workspace=ws)
    assert path == str(Path("azureml-models/scored/1/model.pkl"))
    assert Path(path).read_text() == "weights"
    assert Model.get_model_path("scored", version=1) == path
    with pytest.raises(ModelNotFoundException):
        Model.get_model_path("unknown", _workspace=ws)


def test_the_folder_of_a_deployed_model_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    write(Path("deployed/served/3/model.pkl"), "weights")
    monkeypatch.setenv("AZUREML_MODEL_DIR", "deployed")

    assert Model.get_model_path("served") == str(Path("deployed/served/3/model.pkl"))
    monkeypatch.setenv("AZUREML_MODEL_DIR", "deployed/served/3")
    assert Model.get_model_path("served") == str(Path("deployed/served/3/model.pkl"))


def test_without_a_workspace_the_newest_that_is_here_is_taken() -> None:
    write(Path("azureml-models/here/2/model.pkl"), "old")
    write(Path("azureml-models/here/10/model/weights.bin"), "new")

    assert Model.get_model_path("here") == str(Path("azureml-models/here/10/model"))


def test_what_it_says_of_itself_can_be_read_back(ws: Workspace) -> None:
    model = register(ws, "plain", tags={"a": "1"})

    plain = model.serialize()
    assert (plain["name"], plain["version"], plain["tags"]) == ("plain", 1, {"a": "1"})
    assert Model.deserialize(ws, plain).id == model.id
    assert "id=plain:1" in repr(model)


def test_deployment_refuses_in_a_sentence(ws: Workspace) -> None:
    model = register(ws, "deployed")
    config = InferenceConfig(entry_script="score.py", environment=None)

    assert config.entry_script == "score.py"
    with pytest.raises(NotSupportedByFacade, match="web services"):
        Model.deploy(ws, "service", [model], config)
    with pytest.raises(NotSupportedByFacade, match=r"Model\.download"):
        model.get_sas_urls()
