from azureml.core import Workspace, Experiment, ScriptRunConfig, Environment
from azureml.core.dataset import Dataset
from azureml.core.webservice import AciWebservice
from azureml.train.automl import AutoMLConfig
from azureml.train.hyperdrive import *
from azureml.widgets import RunDetails
import os

ws = Workspace.from_config()
experiment = Experiment(ws, 'hyperdrive-heart-failure')

# %%
found = False
key = "heart-failure-dataset"
description_text = "Heart failure dataset from Kaggle"
if key in ws.datasets.keys():
    found = True
    dataset = ws.datasets[key]
if not found:
    ds = ws.get_default_datastore()
    ds.upload(src_dir='data', target_path='heart/', overwrite=True, show_progress=True)
    dataset = Dataset.Tabular.from_delimited_files(path=ds.path('heart/heart_failure.csv'))
    # Register Dataset in Workspace
    dataset = dataset.register(workspace=ws, name=key, description=description_text)
df = dataset.to_pandas_dataframe()
df.describe()

# %%
env = Environment.get(ws, name='AzureML-sklearn-0.24-ubuntu18.04-py37-cpu')
early_termination_policy = BanditPolicy(evaluation_interval=2, slack_factor=0.1)
param_sampling = RandomParameterSampling({'--n_estimators': choice(5, 10), '--max_depth': choice(2, 4, 6)})
src = ScriptRunConfig(source_directory=os.path.join('./'), script='train.py', compute_target='local', environment=env)
config = HyperDriveConfig(run_config=src, hyperparameter_sampling=param_sampling, primary_metric_name='Accuracy',
                          primary_metric_goal=PrimaryMetricGoal.MAXIMIZE, max_total_runs=2, max_concurrent_runs=2,
                          policy=early_termination_policy)
hyperdrive_run = experiment.submit(config)
RunDetails(hyperdrive_run).show()

# %%
# nobody waits: a person watched the widget
best_run = hyperdrive_run.get_best_run_by_primary_metric()
print('Best Run Id: ', best_run.id)
for k, v in best_run.get_metrics().items():
    print(k, ':', v)
model = best_run.register_model(model_name='heart-hd', model_path=best_run.get_file_names()[-1],
                                model_framework='ScikitLearn', model_framework_version='0.24')
print(model.name, model.version, sep='\t')
hyperdrive_run.complete()
