"""What the methods and attributes of the SDK v1 give, as far as the check needs it to follow values.

``X`` is an object of class X, ``X|Y`` of one of them, ``[X]`` a list, ``{X}`` a dictionary by name, ``(X)`` a tuple of them,
``class X`` the class itself, ``out X`` something out of scope.
"""

from __future__ import annotations

_DATASET = "TabularDataset|FileDataset"
_ANY_RUN = "Run|HyperDriveRun"

CALLS = {
    "ComputeTarget": "AmlCompute",
    "Datastore": "AzureBlobDatastore",
    "get_run": _ANY_RUN,
}

MEMBERS = {
    "Workspace": {
        "from_config get create setup": "Workspace",
        "get_default_datastore": "AzureBlobDatastore",
        "get_default_keyvault": "Keyvault",
        "get_default_compute_target": "AmlCompute",
        "get_run": _ANY_RUN,
        "compute_targets": "{AmlCompute}",
        "datasets": "{" + _DATASET + "}",
        "datastores": "{AzureBlobDatastore}",
        "environments": "{Environment}",
        "experiments": "{Experiment}",
        "models": "{Model}",
    },
    "Experiment": {
        "start_logging": "Run",
        "get_runs": f"[{_ANY_RUN}]",
        "list": "[Experiment]",
        "workspace": "Workspace",
    },
    "Run": {
        "get_context child_run": "Run",
        "get submit_child parent": _ANY_RUN,
        "create_children": "[Run]",
        "get_children list": f"[{_ANY_RUN}]",
        "experiment": "Experiment",
        "register_model": "Model",
        "get_environment": "Environment",
        "input_datasets": "{" + _DATASET + "}",
        "workspace": "Workspace",
    },
    "HyperDriveRun": {
        "get_children": "[Run]",
        "get_best_run_by_primary_metric": "Run",
        "hyperdrive_config": "HyperDriveConfig",
    },
    "ComputeTarget": {"create attach": "AmlCompute", "list": "[AmlCompute]", "get_status": "AmlComputeStatus"},
    "AmlCompute": {
        "provisioning_configuration": "AmlComputeProvisioningConfiguration",
        "status get_status": "AmlComputeStatus",
        "scale_settings": "ScaleSettings",
        "get_active_runs": f"[{_ANY_RUN}]",
    },
    "AmlComputeStatus": {"scale_settings": "ScaleSettings", "node_state_counts": "AmlComputeNodeStateCounts"},
    "Environment": {
        "get from_conda_specification from_pip_requirements from_dockerfile from_docker_image from_docker_build_context "
        "from_existing_conda_environment clone register load_from_directory": "Environment",
        "list": "{Environment}",
        "build build_local": "ImageBuildDetails",
        "python": "PythonSection",
        "docker": "DockerSection",
        "spark": "SparkSection",
    },
    "PythonSection": {"conda_dependencies": "CondaDependencies"},
    "DockerSection": {"base_image_registry": "ContainerRegistry", "build_context": "DockerBuildContext"},
    "RunConfiguration": {
        "load": "RunConfiguration",
        "environment": "Environment",
        "docker": "DockerConfiguration",
        "mpi": "MpiConfiguration",
        "pytorch": "PyTorchConfiguration",
        "tensorflow": "TensorflowConfiguration",
        "amlcompute": "AmlComputeConfiguration",
        "history": "HistoryConfiguration",
    },
    "ScriptRunConfig": {"run_config": "RunConfiguration"},
    "MMLBaseEstimator": {"run_config": "RunConfiguration", "conda_dependencies": "CondaDependencies"},
    "HyperDriveConfig": {"run_config": "ScriptRunConfig", "estimator": "Estimator"},
    "CondaDependencies": {"create": "CondaDependencies"},
    "Model": {
        "register": "Model",
        "list": "[Model]",
        "run": "Run",
        "Framework": "class Framework",
        "deploy": "out azureml.core.webservice.Webservice",
    },
    "Dataset": {
        "Tabular": "class TabularDatasetFactory",
        "File": "class FileDatasetFactory",
        "get_by_name get_by_id": _DATASET,
        "get_all": "{" + _DATASET + "}",
    },
    "TabularDatasetFactory": {
        "from_delimited_files from_parquet_files from_json_lines_files from_sql_query register_pandas_dataframe "
        "register_dask_dataframe register_spark_dataframe": "TabularDataset"
    },
    "FileDatasetFactory": {"from_files upload_directory": "FileDataset"},
    "AbstractDataset": {"get_by_name get_by_id": _DATASET, "as_named_input": "DatasetConsumptionConfig"},
    "TabularDataset": {
        "register take skip keep_columns drop_columns filter take_sample time_after time_before time_between time_recent "
        "with_timestamp_columns partition_by add_tags remove_tags update": "TabularDataset",
        "random_split": "(TabularDataset)",
    },
    "FileDataset": {
        "register take skip filter take_sample add_tags remove_tags update": "FileDataset",
        "random_split": "(FileDataset)",
        "as_mount as_download": "DatasetConsumptionConfig",
    },
    "DatasetConsumptionConfig": {"as_mount as_download as_hdfs": "DatasetConsumptionConfig", "dataset": _DATASET},
    "OutputFileDatasetConfig": {"as_mount as_upload register_on_complete": "OutputFileDatasetConfig"},
    "Datastore": {
        "get get_default register_azure_blob_container register_azure_file_share register_azure_data_lake "
        "register_azure_data_lake_gen2": "AzureBlobDatastore"
    },
    "AbstractAzureStorageDatastore": {
        "path as_mount as_download as_upload upload upload_files": "DataReference",
        "workspace": "Workspace",
    },
    "DataReference": {"path as_mount as_download as_upload": "DataReference", "datastore": "AzureBlobDatastore"},
    "DataPath": {"create_data_reference": "DataReference"},
}

# What a name most likely is when nothing says it, in a file that imports the SDK v1.
USUAL_NAMES = {
    "ws": "Workspace",
    "workspace": "Workspace",
    "run": "Run",
    "exp": "Experiment",
    "experiment": "Experiment",
}


def given_by(owner: str, member: str) -> str:
    """What a member gives, or an empty text when that is not known (or nothing of the SDK)."""
    for names, given in MEMBERS.get(owner, {}).items():
        if member in names.split():
            return given
    return ""
