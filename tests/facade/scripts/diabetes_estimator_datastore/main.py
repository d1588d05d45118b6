from azureml.core import Workspace, Datastore, Experiment
ws = Workspace.from_config()
ws.set_default_datastore('workspaceblobstore')
default_ds = ws.get_default_datastore()
print('Using', default_ds.name, default_ds.datastore_type, default_ds.account_name, default_ds.container_name)
blob = Datastore.get(ws, datastore_name='workspaceblobstore')
default_ds.upload_files(files=['./data/diabetes.csv', './data/diabetes2.csv'], target_path='diabetes-data/', overwrite=True, show_progress=True)
data_ref = default_ds.path('diabetes-data').as_download(path_on_compute='diabetes_data')
print(data_ref)

# %%
import os
experiment_folder = 'diabetes_training_from_datastore'
os.makedirs(experiment_folder, exist_ok=True)

# %%
with open(f'{experiment_folder}/diabetes_training.py', 'w') as file:
    file.write('''
import os
import argparse
from azureml.core import Run
import pandas as pd
import numpy as np
from sklearn.externals import joblib
from sklearn.linear_model import LogisticRegression
parser = argparse.ArgumentParser()
parser.add_argument('--regularization', type=float, dest='reg_rate', default=0.01, help='regularization rate')
parser.add_argument('--data-folder', type=str, dest='data_folder', help='data folder reference')
args = parser.parse_args()
reg = args.reg_rate
run = Run.get_context()
# load the diabetes data from the data reference
data_folder = args.data_folder
print("Loading data from", data_folder)
# Load all files and concatenate their contents as a single dataframe
all_files = os.listdir(data_folder)
diabetes = pd.concat((pd.read_csv(os.path.join(data_folder,csv_file)) for csv_file in all_files))
X, y = diabetes[['Pregnancies','PlasmaGlucose','Age']].values, diabetes['Diabetic'].values
model = LogisticRegression(C=1/reg, solver="liblinear").fit(X, y)
run.log('Accuracy', np.float(model.score(X, y)))
os.makedirs('outputs', exist_ok=True)
joblib.dump(value=model, filename='outputs/diabetes_model.pkl')
run.complete()
''')

# %%
from azureml.train.estimator import Estimator
from azureml.core.runconfig import DataReferenceConfiguration
from azureml.widgets import RunDetails
script_params = { '--regularization': 0.1, '--data-folder': data_ref }
estimator = Estimator(source_directory=experiment_folder, entry_script='diabetes_training.py', script_params=script_params, compute_target = 'local', conda_packages=['scikit-learn', 'pandas'])
run = Experiment(workspace = ws, name = 'diabetes-training').submit(config=estimator)
RunDetails(run).show()
run.wait_for_completion(show_output=True)
run.register_model(model_path='outputs/diabetes_model.pkl', model_name='diabetes_model', tags={'Training context':'Using Datastore'}, properties={'Accuracy': run.get_metrics()['Accuracy']})

# %%
default_ds.download(target_path='dl', prefix='diabetes-data', overwrite=True, show_progress=True)
print(os.listdir('dl/diabetes-data'))
