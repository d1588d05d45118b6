"""What is out of scope can be named, derived from and asked after, and refuses at the call with one sentence."""

from __future__ import annotations

from typing import Any

import pytest

from azureml.exceptions import NotSupportedByFacade, UserErrorException, WebserviceException


def refusal(call: Any) -> str:
    with pytest.raises(NotSupportedByFacade) as caught:
        call()
    return str(caught.value)


def test_a_class_out_of_scope_refuses_when_an_object_is_made() -> None:
    from azureml.train.automl import AutoMLConfig

    said = refusal(lambda: AutoMLConfig(task="classification", primary_metric="AUC_weighted"))

    assert said.startswith("azureml.train.automl.AutoMLConfig: automated machine learning is not supported yet; ")
    assert "`sublight azureml list`" in said
    assert said.count("\n") == 0


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("from azureml.pipeline.core import Pipeline; Pipeline(workspace=None, steps=[])", "pipelines"),
        ("from azureml.pipeline.core import PipelineData; PipelineData('a', datastore=None)", "pipelines"),
        ("from azureml.pipeline.steps import PythonScriptStep; PythonScriptStep(script_name='a.py')", "pipelines"),
        (
            "from azureml.core.webservice import AciWebservice; AciWebservice.deploy_configuration(cpu_cores=1)",
            "services",
        ),
        ("from azureml.core.webservice import Webservice; Webservice(None, 'name')", "services"),
        ("from azureml.core import Webservice; Webservice.list(None)", "services"),
        ("from azureml.core.image import ContainerImage; ContainerImage.image_configuration()", "images"),
        ("from azureml.interpret import ExplanationClient; ExplanationClient.from_run(None)", "explanations"),
        ("from azureml.opendatasets import NoaaIsdWeather; NoaaIsdWeather(1, 2)", "open datasets"),
        ("from azureml.automl.runtime.shared.score import scoring; scoring.score_regression()", "automated"),
        ("from azureml.automl.core.shared import constants; list(constants.Metric.SCALAR_REGRESSION_SET)", "automated"),
        ("from azureml.train.automl.constants import Metric; Metric['a']", "automated"),
        ("import azureml.dataprep as dprep; dprep.read_csv('a.csv')", "dataprep"),
        ("from azureml.train.automl.runtime.x.y import Z; Z()", "automated"),
        ("from azureml.tensorboard import Tensorboard; Tensorboard([])", "TensorBoard"),
        ("from azureml.monitoring import ModelDataCollector; ModelDataCollector('m')", "data of web services"),
        ("import azureml.mlflow; azureml.mlflow.register_model()", "MLflow"),
        ("from azureml.contrib.train.rl import Ray\nwith Ray.cluster: pass", "contributed"),
    ],
)
def test_a_use_of_a_package_out_of_scope_is_refused_in_one_sentence(line: str, what: str) -> None:
    said = refusal(lambda: exec(line, {}))

    assert what in said
    assert "\n" not in said


def test_a_refusal_is_caught_where_scripts_catch_errors_of_the_user() -> None:
    from azureml.pipeline.core import Pipeline

    with pytest.raises(UserErrorException):
        Pipeline(None, [])
    with pytest.raises(NotImplementedError):
        Pipeline(None, [])


def test_a_script_may_derive_from_a_class_out_of_scope() -> None:
    from azureml.pipeline.core import PipelineStep
    from azureml.studio.core.logger import module_logger

    class OwnStep(PipelineStep):  # type: ignore[misc]
        pass

    class OwnLogger(module_logger):  # type: ignore[misc,valid-type]
        pass

    assert "OwnStep: pipelines" in refusal(OwnStep)
    refusal(OwnLogger)


def test_nothing_is_an_object_of_a_class_out_of_scope() -> None:
    from azureml.pipeline.core import PipelineRun
    from azureml.train.automl import run
    from azureml.train.automl.run import AutoMLRun

    assert not isinstance("run", (AutoMLRun, PipelineRun))
    assert not isinstance("run", run.some_name)


def test_exceptions_of_packages_out_of_scope_can_be_caught() -> None:
    from azureml.automl.core.shared.exceptions import ConfigException
    from azureml.core.webservice.webservice import WebserviceException as FromWebservice

    assert FromWebservice is WebserviceException
    try:
        raise ValueError("other")
    except ConfigException:
        raise AssertionError("nothing raises it") from None
    except ValueError:
        pass


def test_names_out_of_scope_may_stand_in_annotations() -> None:
    from azureml.pipeline.core import PipelineData
    from azureml.train.automl.runtime.thing import some_type

    def build(data: PipelineData | None, other: some_type | None) -> list[PipelineData]:  # type: ignore[valid-type]
        return []

    assert build(None, None) == []
