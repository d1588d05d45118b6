import matplotlib; matplotlib.use('agg')
import azureml.core
from azureml.core import Experiment, Workspace
print("This notebook was created using version 1.60.0 of the Azure ML SDK")
print("You are currently using version", azureml.core.VERSION, "of the Azure ML SDK")
ws = Workspace.from_config()
print('Workspace name: ' + ws.name, 'Azure region: ' + ws.location, 'Subscription id: ' + ws.subscription_id, 'Resource group: ' + ws.resource_group, sep='\n')

# %%
experiment = Experiment(workspace=ws, name="train-within-notebook")
experiment

# %%
# load diabetes dataset, a well-known small dataset that comes with scikit-learn
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split
import joblib
X, y = load_diabetes(return_X_y = True)
columns = ['age', 'gender', 'bmi', 'bp', 's1', 's2', 's3', 's4', 's5', 's6']
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
data = { "train":{"X": X_train, "y": y_train}, "test":{"X": X_test, "y": y_test}}
reg = Ridge(alpha = 0.03)
reg.fit(data['train']['X'], data['train']['y'])
preds = reg.predict(data['test']['X'])

# %%
# Get an experiment run
run = experiment.start_logging()
# Log the algorithm parameter alpha to the run
run.log('alpha', 0.03)
run.log('mse', mean_squared_error(preds, data['test']['y']))
joblib.dump(value=reg, filename='model.pkl')
run.upload_file(name='outputs/model.pkl', path_or_stream='./model.pkl')
run.complete()

# %%
run

# %%
import numpy as np
model_name = "model.pkl"
# list of numbers from 0 to 1.0 with a 0.1 interval
alphas = np.arange(0.0, 1.0, 0.5)
# try a bunch of alpha values in a Linear Regression (Ridge) model
for alpha in alphas:
    # create a bunch of runs, each train a model with a different alpha value
    with experiment.start_logging() as run:
        # Use Ridge algorithm to build a regression model
        reg = Ridge(alpha=alpha)
        reg.fit(X=data["train"]["X"], y=data["train"]["y"])
        preds = reg.predict(X=data["test"]["X"])
        mse = mean_squared_error(y_true=data["test"]["y"], y_pred=preds)
        # log alpha, mean_squared_error and feature names in run history
        run.log(name="alpha", value=alpha)
        run.log(name="mse", value=mse)
        run.log_list('columns', columns)
        with open(model_name, "wb") as file:
            joblib.dump(value=reg, filename=file)
        # upload the serialized model into run history record
        run.upload_file(name="outputs/" + model_name, path_or_stream=model_name)
        # now delete the serialized model from local folder since it is already uploaded to run history 
        import os; os.remove(path=model_name)

# %%
# now let's take a look at the experiment in Azure portal.
experiment

# %%
runs = {}
run_metrics = {}
# Create dictionaries containing the runs and the metrics for all runs containing the 'mse' metric
for r in experiment.get_runs():
    metrics = r.get_metrics()
    if 'mse' in metrics.keys():
        runs[r.id] = r
        run_metrics[r.id] = metrics
# Find the run with the best (lowest) mean squared error and display the id and metrics
best_run_id = min(run_metrics, key = lambda k: run_metrics[k]['mse'])
best_run = runs[best_run_id]
print('Best run is:', best_run_id)
print('Metrics:', run_metrics[best_run_id])
best_run.tag(key="Best one")
print(best_run.get_tags(), best_run.get_file_names())

# %%
best_alpha = metrics['alpha']
import matplotlib.pyplot as plt
a = np.array([[v['alpha'], v['mse']] for v in run_metrics.values()])
plt.plot(a[:,0], a[:,1], 'r--')
plt.plot(best_alpha, 3, 'bo'); plt.title('x')

# %%
model = best_run.register_model(model_name='best_ridge_model', model_path='outputs/model.pkl')
print(model.name, model.id, model.version, sep='\t')
best_run.download_file(name="outputs/model.pkl"); print(os.path.exists('model.pkl'))
best_run.download_file("outputs/model.pkl", "./deep/er/model.pkl") if os.makedirs('deep/er', exist_ok=True) is None else 0
from azureml.core.model import Model
models = ws.models
for name, m in models.items():
    print("Name:", name,"\tVersion:", m.version, "\tDescription:", m.description, m.tags)
m = Model(ws, 'best_ridge_model'); print(m.download(target_dir=os.getcwd(), exist_ok=True))
for fn in ('get_model_path',): print(Model.get_model_path('best_ridge_model', _workspace=ws))
import pandas as pd
pd.DataFrame(run_metrics).T
