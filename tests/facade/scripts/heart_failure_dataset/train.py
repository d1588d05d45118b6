import argparse
import os
import numpy as np
import pandas as pd
import joblib
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import confusion_matrix, roc_auc_score
from sklearn.model_selection import train_test_split
from azureml.core.run import Run
from azureml.core import Dataset, Workspace, Experiment

run = Run.get_context()
ws = run.experiment.workspace
found = False
key = "heart-failure-dataset"
if key in ws.datasets.keys():
    found = True
    dataset = ws.datasets[key]
df = Dataset.get_by_name(ws, name=key).to_pandas_dataframe()
x = df.drop(columns=["DEATH_EVENT"])
y = df["DEATH_EVENT"]
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=42, stratify=y)

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--n_estimators', type=int, default=10)
    parser.add_argument('--max_depth', type=int, default=5)
    parser.add_argument('--min_samples_split', type=int, default=2)
    parser.add_argument('--max_features', type=str, default='auto')
    args = parser.parse_args()
    run.log("Number of trees:", np.float(args.n_estimators))
    run.log("Max depth:", np.int(args.max_depth))
    model = RandomForestClassifier(n_estimators=args.n_estimators, max_depth=args.max_depth, min_samples_split=args.min_samples_split, max_features=args.max_features).fit(x_train, y_train)
    accuracy = model.score(x_test, y_test)
    run.log("Accuracy", np.float(accuracy))
    run.log('AUC', roc_auc_score(y_test, model.predict_proba(x_test)[:, 1]))
    cm = confusion_matrix(y_test, model.predict(x_test))
    run.log_confusion_matrix('Confusion matrix', {"schema_type": "confusion_matrix", "schema_version": "v1", "data": {"class_labels": ["0", "1"], "matrix": [[int(y) for y in row] for row in cm]}})
    joblib.dump(value=model, filename='outputs/model.pkl')
    run.complete()
main()
