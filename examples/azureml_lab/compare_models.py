"""Compare fifteen classifiers, each in a child run of one interactive run."""

import sys

from azureml.core import Experiment, Workspace
from azureml.core.authentication import AzureCliAuthentication
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import PassiveAggressiveClassifier, Perceptron, RidgeClassifier, SGDClassifier
from sklearn.naive_bayes import BernoulliNB, ComplementNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

sys.path.append("code")
from newsgroups import load_posts

workspace = Workspace.from_config(auth=AzureCliAuthentication())
experiment = Experiment(workspace, "newsgroups_compare_models")

posts = load_posts(1.0)
vectorizer = TfidfVectorizer(max_features=4000, stop_words="english", sublinear_tf=True)
train_inputs, test_inputs = vectorizer.fit_transform(posts.train_texts), vectorizer.transform(posts.test_texts)

models = {
    "ridge": RidgeClassifier(),
    "perceptron": Perceptron(),
    "passive aggressive": PassiveAggressiveClassifier(),
    "k neighbours": KNeighborsClassifier(),
    "random forest": RandomForestClassifier(n_estimators=30),
    "linear svc": LinearSVC(),
    "linear svc l1": LinearSVC(penalty="l1", dual=False),
    "sgd l2": SGDClassifier(),
    "sgd l1": SGDClassifier(penalty="l1"),
    "sgd elastic net": SGDClassifier(penalty="elasticnet"),
    "nearest centroid": NearestCentroid(),
    "multinomial bayes": MultinomialNB(),
    "bernoulli bayes": BernoulliNB(),
    "complement bayes": ComplementNB(),
    "decision tree": DecisionTreeClassifier(max_depth=20),
}

run = experiment.start_logging()
for name, model in models.items():
    child = run.child_run(name)
    model.fit(train_inputs, posts.train_classes)
    child.log("accuracy", float((model.predict(test_inputs) == posts.test_classes).mean()))
    child.log("name", name)
    child.complete()
run.complete()

results = {child.get_metrics()["name"]: child.get_metrics()["accuracy"] for child in run.get_children()}
for name, accuracy in sorted(results.items(), key=lambda item: -item[1]):
    print(f"{accuracy:.4f}  {name}")
