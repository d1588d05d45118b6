"""Train once more with the best arguments of the newest sweep, and register the model."""

from azureml.core import Experiment, ScriptRunConfig, Workspace
from azureml.core.authentication import AzureCliAuthentication
from azureml.train.hyperdrive import HyperDriveRun

workspace = Workspace.from_config(auth=AzureCliAuthentication())

sweeps = Experiment(workspace, "newsgroups_train_hypertune_cpu").get_runs(type="hyperdrive")
hyperdrive_run = next(run for run in sweeps if isinstance(run, HyperDriveRun))
best_run = hyperdrive_run.get_best_run_by_primary_metric()
arguments = best_run.get_details()["runDefinition"]["arguments"]

experiment = Experiment(workspace, "newsgroups_train_fullmodel")
script_run_config = ScriptRunConfig(
    source_directory="code", script="train.py", arguments=arguments, compute_target="hypercomputecpu"
)
run = experiment.submit(script_run_config)
run.wait_for_completion(show_output=True)

model = run.register_model(
    model_name="newsgroups",
    model_path="outputs/model.pkl",
    tags={"accuracy": str(run.get_metrics()["accuracy"][-1])},
)
print(model.name, model.version, model.tags)
