"""Train a small neural network on four newsgroups: a training script as it was written for Azure ML."""

import argparse
import os

import joblib
import matplotlib
import numpy as np
from azureml.core import Run
from newsgroups import CATEGORIES, load_posts
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import confusion_matrix
from sklearn.neural_network import MLPClassifier

matplotlib.use("Agg")
import matplotlib.pyplot as plt

parser = argparse.ArgumentParser()
parser.add_argument("--data_subset", type=float, default=1.0)
parser.add_argument("--learning_rate", type=float, default=0.01)
parser.add_argument("--num_epochs", type=int, default=5)
parser.add_argument("--batch_size", type=int, default=150)
parser.add_argument("--hidden_size", type=int, default=100)
args = parser.parse_args()

# The run that this script is; offline, it prints what it would log
run = Run.get_context()

posts = load_posts(args.data_subset)
vectorizer = TfidfVectorizer(max_features=12000, stop_words="english", sublinear_tf=True, dtype=np.float32)
train_inputs = vectorizer.fit_transform(posts.train_texts)
test_inputs = vectorizer.transform(posts.test_texts)

model = MLPClassifier(
    hidden_layer_sizes=(args.hidden_size,),
    learning_rate_init=args.learning_rate,
    batch_size=min(args.batch_size, len(posts.train_texts)),
    random_state=0,
)
for epoch in range(args.num_epochs):
    model.partial_fit(train_inputs, posts.train_classes, classes=np.arange(len(CATEGORIES)))
    accuracy = float(np.mean(model.predict(test_inputs) == posts.test_classes))
    run.log("accuracy", accuracy)

matrix = confusion_matrix(posts.test_classes, model.predict(test_inputs))
plt.imshow(matrix, cmap="Blues")
plt.title("Confusion matrix")
run.log_image("confusion matrix", plot=plt)

os.makedirs("outputs", exist_ok=True)
joblib.dump(model, "outputs/model.pkl")
with open("settings.txt", "w") as file:
    file.write(str(vars(args)))
run.upload_file(name="reports/settings.txt", path_or_stream="settings.txt")
