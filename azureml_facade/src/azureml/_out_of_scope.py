"""Packages of the SDK v1 that are not supported: they can be imported and named at any depth, and refuse at the call.

``ROOTS`` says which they are and why. ``NAMES`` holds the public names that are known of them, for ``import *`` and
editors; a name that is not there is a placeholder all the same, because these packages had hundreds.
"""

from __future__ import annotations

import sys
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn

from azureml._refusal import RefusedMember, refuse, refused_class

_AUTOML = "automated machine learning is not supported yet"
_PIPELINES = "pipelines are not supported yet"
_SERVICES = "web services are not supported yet; load the model's files and call it from your own program"
_IMAGES = "images of models are not supported; load the model's files and call it from your own program"
_EXPLANATIONS = "explanations of models are not supported yet; use the packages interpret or shap by themselves"
_OPEN_DATA = "Azure's open datasets are not supported; download the file and name it with `sublight dataset register`"
_INTERNAL = "this is an inner part of the original SDK, which is not there"

# A package, and why everything in it refuses. The longest root that a name begins with counts.
ROOTS = {
    "azureml.accel": "models on FPGAs are not supported",
    "azureml.automl": _AUTOML,
    "azureml.contrib": "contributed packages of the SDK v1 are not supported",
    "azureml.contrib.automl": _AUTOML,
    "azureml.contrib.explain": _EXPLANATIONS,
    "azureml.contrib.interpret": _EXPLANATIONS,
    "azureml.contrib.pipeline": _PIPELINES,
    "azureml.contrib.services": _SERVICES,
    "azureml.core._docs": _INTERNAL,
    "azureml.core._experiment_method": _INTERNAL,
    "azureml.core._metrics": _INTERNAL,
    "azureml.core._serialization_utils": _INTERNAL,
    "azureml.core.image": _IMAGES,
    "azureml.core.profile": "profiles of models are not supported",
    "azureml.core.webservice": _SERVICES,
    "azureml.datadrift": "data drift is not watched yet",
    "azureml.dataprep": "the package dataprep is not supported; use azureml.core.Dataset or pandas",
    "azureml.explain": _EXPLANATIONS,
    "azureml.fairness": "assessments of fairness are not supported; use the package fairlearn by itself",
    "azureml.interpret": _EXPLANATIONS,
    "azureml.mlflow": "MLflow is not a door to the workspace yet; log with Run.get_context().log()",
    "azureml.monitoring": "watching the data of web services is not supported yet",
    "azureml.opendatasets": _OPEN_DATA,
    "azureml.pipeline": _PIPELINES,
    "azureml.responsibleai": _EXPLANATIONS,
    "azureml.services": "the management of services is not supported",
    "azureml.studio": "modules of the designer are not supported",
    "azureml.tensorboard": "TensorBoard is not started by the facade; run `tensorboard --logdir` on the run's downloaded logs",
    "azureml.train.automl": _AUTOML,
    "azureml.train.restclients": _INTERNAL,
    "azureml._async": _INTERNAL,
    "azureml._base_sdk_common": _INTERNAL,
    "azureml._cli": _INTERNAL,
    "azureml._cli_common": _INTERNAL,
    "azureml._common": _INTERNAL,
    "azureml._compute": _INTERNAL,
    "azureml._execution": _INTERNAL,
    "azureml._file_utils": _INTERNAL,
    "azureml._history": _INTERNAL,
    "azureml._html": _INTERNAL,
    "azureml._jupyter_common": _INTERNAL,
    "azureml._logging": _INTERNAL,
    "azureml._metrics": _INTERNAL,
    "azureml._model_converters": _INTERNAL,
    "azureml._model_management": _INTERNAL,
    "azureml._process_utils": _INTERNAL,
    "azureml._project": _INTERNAL,
    "azureml._restclient": _INTERNAL,
    "azureml._run_impl": _INTERNAL,
    "azureml._tracing": _INTERNAL,
    "azureml._vendor": _INTERNAL,
    "azureml._workspace": _INTERNAL,
}

_WEBSERVICES = "AciWebservice AksEndpoint AksWebservice LocalWebservice Webservice"

NAMES = {
    module: tuple(names.split())
    for module, names in {
        "azureml.automl.core": "",
        "azureml.automl.core.featurization": "ColumnTransformerParamType FeaturizationConfig",
        "azureml.automl.core.forecasting_parameters": "ForecastingParameters",
        "azureml.automl.core.onnx_convert": "OnnxConvertConstants OnnxConverter OnnxInferenceHelper",
        "azureml.automl.core.shared": "constants log_server logging_utilities",
        "azureml.automl.core.shared.constants": "Metric Tasks",
        "azureml.automl.core.shared.log_server": "enable_telemetry set_verbosity update_custom_dimensions",
        "azureml.automl.core.shared.logging_utilities": "log_traceback",
        "azureml.automl.runtime": "",
        "azureml.automl.runtime.onnx_convert": "OnnxConvertConstants OnnxConverter OnnxInferenceHelper",
        "azureml.automl.runtime.shared": "",
        "azureml.automl.runtime.shared.score": "constants scoring",
        "azureml.automl.runtime.shared.score.constants": "",
        "azureml.automl.runtime.shared.score.scoring": "score_classification score_forecasting score_regression",
        "azureml.contrib.automl.pipeline.steps": "AutoMLPipelineBuilder",
        "azureml.contrib.automl.pipeline.steps.utilities": "get_output_from_mm_pipeline",
        "azureml.contrib.interpret.explanation.explanation_client": "ExplanationClient",
        "azureml.contrib.interpret.visualize": "ExplanationDashboard",
        "azureml.contrib.pipeline.steps": "ParallelRunConfig ParallelRunStep",
        "azureml.contrib.services.aml_request": "AMLRequest rawhttp",
        "azureml.contrib.services.aml_response": "AMLResponse",
        "azureml.core.image": "ContainerImage Image",
        "azureml.core.image.container": "ContainerImage ContainerImageConfig",
        "azureml.core.image.image": "Asset Image ImageConfig TargetRuntime",
        "azureml.core.profile": "ModelProfile",
        "azureml.core.webservice": _WEBSERVICES,
        "azureml.core.webservice.aci": "AciServiceDeploymentConfiguration AciWebservice",
        "azureml.core.webservice.aks": "AksEndpoint AksServiceDeploymentConfiguration AksWebservice",
        "azureml.core.webservice.local": "LocalWebservice LocalWebserviceDeploymentConfiguration",
        "azureml.core.webservice.webservice": "Webservice WebserviceDeploymentConfiguration WebserviceException",
        "azureml.datadrift": "AlertConfiguration DataDriftDetector Metric MetricType ModelServingDataset",
        "azureml.dataprep": "",
        "azureml.explain": "",
        "azureml.explain.model": "",
        "azureml.interpret": "ExplanationClient MimicExplainer MimicWrapper PFIExplainer TabularExplainer",
        "azureml.interpret.scoring.scoring_explainer": (
            "DeepScoringExplainer KernelScoringExplainer LinearScoringExplainer TreeScoringExplainer load save"
        ),
        "azureml.mlflow": "get_mlflow_tracking_uri register_model",
        "azureml.monitoring": "ModelDataCollector",
        "azureml.opendatasets": (
            "BostonSafety ChicagoSafety Diabetes MNIST NoaaGfsWeather NoaaIsdWeather NycSafety NycTlcFhv NycTlcGreen "
            "NycTlcYellow OjSalesSimulated PublicHolidays PublicHolidaysOffline SampleOJSalesSimulated SanFranciscoSafety "
            "SeattleSafety UsLaborCPI UsPopulationCounty UsPopulationZip"
        ),
        "azureml.pipeline": "",
        "azureml.pipeline.core": (
            "InputPortBinding InputPortDef Module ModuleVersion OutputPortBinding OutputPortDef Pipeline PipelineData "
            "PipelineDraft PipelineEndpoint PipelineParameter PipelineRun PipelineStep PortDataReference PublishedPipeline "
            "Schedule ScheduleRecurrence StepRun StepRunOutput StepSequence TrainingOutput"
        ),
        "azureml.pipeline.core.graph": (
            "InputPortBinding InputPortDef OutputPortBinding OutputPortDef PipelineDataset PipelineParameter"
        ),
        "azureml.pipeline.core.run": "PipelineRun StepRun StepRunOutput",
        "azureml.pipeline.core.schedule": "Schedule ScheduleRecurrence ScheduleStatus ScheduleType TimeZone",
        "azureml.pipeline.steps": (
            "AdlaStep AutoMLStep AutoMLStepRun AzureBatchStep CommandStep DataTransferStep DatabricksStep EstimatorStep "
            "HyperDriveStep HyperDriveStepRun KustoStep ModuleStep MpiStep ParallelRunConfig ParallelRunStep "
            "PythonScriptStep RScriptStep SynapseSparkStep"
        ),
        "azureml.studio.core.io.data_frame_directory": (
            "DataFrameDirectory load_data_frame_from_directory save_data_frame_to_directory"
        ),
        "azureml.studio.core.logger": "module_logger",
        "azureml.tensorboard": "Tensorboard",
        "azureml.tensorboard.export": "export_to_tensorboard",
        "azureml.train.automl": "AutoMLConfig AutoMLImageConfig",
        "azureml.train.automl.automlconfig": "AutoMLConfig",
        "azureml.train.automl.constants": "",
        "azureml.train.automl.model_proxy": "ModelProxy",
        "azureml.train.automl.run": "AutoMLRun",
        "azureml.train.automl.runtime": "",
        "azureml.train.automl.runtime._many_models.many_models_parameters": (
            "ManyModelsInferenceParameters ManyModelsTrainParameters"
        ),
        "azureml.train.automl.runtime.automl_explain_utilities": "automl_setup_model_explanations",
        "azureml.train.automl.utilities": "get_primary_metrics",
    }.items()
}


def spec_of(name: str) -> ModuleSpec | None:
    """How the module ``name`` is made, when it is out of scope; else None."""
    parent, _, last = name.rpartition(".")
    if why(name) is None or last[0].isupper() or (last in NAMES.get(parent, ()) and name not in NAMES):
        return None  # a class or a function is no module
    return ModuleSpec(name, _Loader(), is_package=True)


def why(name: str) -> str | None:
    """Why a module, or a name in one, refuses; None when nothing here speaks of it."""
    parts = name.split(".")
    for length in range(len(parts), 1, -1):
        reason = ROOTS.get(".".join(parts[:length]))
        if reason is not None:
            return reason
    return None


class _Loader(Loader):
    """Makes a module of placeholders."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Placeholders(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        module.__doc__ = f"{module.__name__}: {why(module.__name__)}."
        names = NAMES.get(module.__name__)
        if names is not None:
            module.__dict__["__all__"] = list(names)


class _Placeholders(ModuleType):
    """A module in which every public name is there and refuses when it is called."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        full = f"{self.__name__}.{name}"
        if full in NAMES or full in ROOTS:
            __import__(full)
            return sys.modules[full]
        value = placeholder(self.__name__, name)
        setattr(self, name, value)
        return value

    def __call__(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        refuse(self.__name__, why(self.__name__) or "it is not supported yet")

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *NAMES.get(self.__name__, ())})


def placeholder(module: str, name: str) -> Any:
    """What stands for ``name``: a class where it can be one (so that it can be a base, or be caught), else a member."""
    reason = why(module) or "it is not supported yet"
    if name.endswith(("Exception", "Error")):
        return _exception(module, name)
    if name[0].isupper() and (name in NAMES.get(module, ()) or not name.isupper()):
        return refused_class(module, name, reason)
    return RefusedMember(f"{module}.{name}", reason)


def _exception(module: str, name: str) -> Any:
    """The exception of the SDK v1 of that name, or one that nothing raises."""
    from azureml import exceptions

    if name in exceptions.__all__:
        return getattr(exceptions, name)
    return type(name, (exceptions.AzureMLException,), {"__module__": module})
