"""Search the hyperparameters of code/train.py with HyperDrive on the CPU cluster."""

import sys

from azureml.core import Experiment, Workspace
from azureml.core.authentication import AzureCliAuthentication
from azureml.train.dnn import PyTorch
from azureml.train.hyperdrive import (
    BayesianParameterSampling,
    HyperDriveConfig,
    PrimaryMetricGoal,
    choice,
    uniform,
)

max_total_runs = int(sys.argv[1]) if len(sys.argv) > 1 else 80

# Load the workspace
workspace = Workspace.from_config(auth=AzureCliAuthentication())

cpu_cluster_name = "hypercomputecpu"

# Define the ML experiment
experiment = Experiment(workspace, "newsgroups_train_hypertune_cpu")

# Create the estimator
estimator = PyTorch(
    source_directory="code",
    entry_script="train.py",
    script_params={"--data_subset": 1.0},
    compute_target=workspace.compute_targets[cpu_cluster_name],
    pip_packages=["scikit-learn", "matplotlib"],
)

# Define the search space
param_sampling = BayesianParameterSampling(
    {
        "--learning_rate": uniform(0.0005, 0.05),
        "--num_epochs": choice(5, 10, 15),
        "--batch_size": choice(150, 200),
        "--hidden_size": choice(50, 100),
    }
)

hyperdrive_config = HyperDriveConfig(
    estimator=estimator,
    hyperparameter_sampling=param_sampling,
    primary_metric_name="accuracy",
    primary_metric_goal=PrimaryMetricGoal.MAXIMIZE,
    max_total_runs=max_total_runs,
    max_concurrent_runs=4,
)

hyperdrive_run = experiment.submit(hyperdrive_config)
print(hyperdrive_run.get_portal_url())
hyperdrive_run.wait_for_completion(show_output=True)

best_run = hyperdrive_run.get_best_run_by_primary_metric()
print("Best run:", best_run.id, best_run.get_metrics()["accuracy"])
print("Arguments:", best_run.get_details()["runDefinition"]["arguments"])
