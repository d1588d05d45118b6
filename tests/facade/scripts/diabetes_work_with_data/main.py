import azureml.core
from azureml.core import Workspace
ws = Workspace.from_config()
# Get the default datastore
default_ds = ws.get_default_datastore()
# Enumerate all datastores, indicating which is the default
for ds_name in ws.datastores:
    print(ds_name, "- Default =", ds_name == default_ds.name)

# %%
default_ds.upload_files(files=['./data/diabetes.csv', './data/diabetes2.csv'], # Upload the diabetes csv files in /data
                       target_path='diabetes-data/', # Put it in a folder path in the datastore
                       overwrite=True, # Replace existing files of the same name
                       show_progress=True)

# %%
from azureml.core import Dataset
#Create a tabular dataset from the path on the datastore (this may take a short while)
tab_data_set = Dataset.Tabular.from_delimited_files(path=(default_ds, 'diabetes-data/*.csv'))
# Display the first 20 rows as a Pandas dataframe
tab_data_set.take(20).to_pandas_dataframe()

# %%
file_data_set = Dataset.File.from_files(path=(default_ds, 'diabetes-data/*.csv'))
for file_path in file_data_set.to_path():
    print(file_path)

# %%
try:
    tab_data_set = tab_data_set.register(workspace=ws, name='diabetes dataset', description='diabetes data', tags = {'format':'CSV'}, create_new_version=True)
except Exception as ex:
    print(ex)
try:
    file_data_set = file_data_set.register(workspace=ws, name='diabetes file dataset', description='diabetes files', tags = {'format':'CSV'}, create_new_version=True)
except Exception as ex:
    print(ex)
print('Datasets registered')

# %%
print("Datasets:")
for dataset_name in list(ws.datasets.keys()):
    dataset = Dataset.get_by_name(ws, dataset_name)
    print("\t", dataset.name, 'version', dataset.version)

# %%
import os
experiment_folder = 'diabetes_training_from_tab_dataset'
os.makedirs(experiment_folder, exist_ok=True)

# %%
with open(f'{experiment_folder}/diabetes_training.py', 'w') as file:
    file.write('''
import os
import argparse
from azureml.core import Run, Dataset
import pandas as pd
import numpy as np
import joblib
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

# Get the script arguments (regularization rate and training dataset ID)
parser = argparse.ArgumentParser()
parser.add_argument('--regularization', type=float, dest='reg_rate', default=0.01, help='regularization rate')
parser.add_argument("--input-data", type=str, dest='training_dataset_id', help='training dataset')
args = parser.parse_args()
reg = args.reg_rate
run = Run.get_context()

# Get the training dataset
print("Loading Data...")
diabetes = run.input_datasets['training_data'].to_pandas_dataframe()
X, y = diabetes[['Pregnancies','PlasmaGlucose','DiastolicBloodPressure','TricepsThickness','SerumInsulin','BMI','DiabetesPedigree','Age']].values, diabetes['Diabetic'].values
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.30, random_state=0)
run.log('Regularization Rate',  np.float(reg))
model = LogisticRegression(C=1/reg, solver="liblinear").fit(X_train, y_train)
acc = np.average(model.predict(X_test) == y_test)
run.log('Accuracy', np.float(acc))
auc = roc_auc_score(y_test, model.predict_proba(X_test)[:,1])
run.log('AUC', np.float(auc))
os.makedirs('outputs', exist_ok=True)
# note file saved in the outputs folder is automatically uploaded into experiment record
joblib.dump(value=model, filename='outputs/diabetes_model.pkl')
run.complete()
''')

# %%
from azureml.core import Experiment, ScriptRunConfig, Environment
from azureml.core.conda_dependencies import CondaDependencies
from azureml.widgets import RunDetails
env = Environment("diabetes-experiment-env-tab")
env.python.user_managed_dependencies = False
packages = CondaDependencies.create(conda_packages=['scikit-learn','ipykernel','matplotlib','pandas','pip'], pip_packages=['azureml-defaults','azureml-dataprep[pandas]','pyarrow'])
env.python.conda_dependencies = packages
# Get the training dataset
diabetes_ds = ws.datasets.get("diabetes dataset")
script_config = ScriptRunConfig(source_directory=experiment_folder, script='diabetes_training.py',
    arguments = ['--regularization', 0.1, # Regularizaton rate parameter
                 '--input-data', diabetes_ds.as_named_input('training_data')], # Reference to dataset
    environment=env)
experiment_name = 'mslearn-train-diabetes'
experiment = Experiment(workspace=ws, name=experiment_name)
run = experiment.submit(config=script_config)
RunDetails(run).show()
run.wait_for_completion()

# %%
from azureml.core import Model
run.register_model(model_path='outputs/diabetes_model.pkl', model_name='diabetes_model_tab', tags={'Training context':'Tabular dataset'}, properties={'AUC': run.get_metrics()['AUC'], 'Accuracy': run.get_metrics()['Accuracy']})
for model in Model.list(ws):
    print(model.name, 'version:', model.version)

# %%
experiment_folder = 'diabetes_training_from_file_dataset'
os.makedirs(experiment_folder, exist_ok=True)

# %%
with open(f'{experiment_folder}/diabetes_training.py', 'w') as file:
    file.write('''
import os
import argparse
from azureml.core import Dataset, Run
import pandas as pd
import numpy as np
import joblib
from sklearn.linear_model import LogisticRegression
import glob
parser = argparse.ArgumentParser()
parser.add_argument('--regularization', type=float, dest='reg_rate', default=0.01)
parser.add_argument('--input-data', type=str, dest='dataset_folder', help='data mount point')
args = parser.parse_args()
run = Run.get_context()
# load the diabetes dataset
print("Loading Data...")
data_path = run.input_datasets['training_files'] # Get the training data path from the input
# (You could also just use args.dataset_folder if you don't want to rely on a hard-coded friendly name)
print(data_path, args.dataset_folder, os.environ.get('training_files'))
# Read the files
all_files = glob.glob(data_path + "/*.csv")
diabetes = pd.concat((pd.read_csv(f) for f in all_files), sort=False)
assert len(diabetes) == 220, len(diabetes)
assert len(glob.glob(args.dataset_folder + '/*.csv')) == 2
X, y = diabetes[['Pregnancies','PlasmaGlucose','Age']].values, diabetes['Diabetic'].values
model = LogisticRegression(C=1/args.reg_rate, solver="liblinear").fit(X, y)
run.log('Accuracy', np.float(model.score(X, y)))
os.makedirs('outputs', exist_ok=True)
joblib.dump(value=model, filename='outputs/diabetes_model.pkl')
run.complete()
''')

# %%
diabetes_ds = ws.datasets.get("diabetes file dataset")
for how in (lambda d: d.as_named_input('training_files').as_download(),):
    script_config = ScriptRunConfig(source_directory=experiment_folder, script='diabetes_training.py', arguments = ['--regularization', 0.1, '--input-data', how(diabetes_ds)], environment=env)
    run = experiment.submit(config=script_config)
    RunDetails(run).show()
    run.wait_for_completion()
    print(run.get_metrics())
