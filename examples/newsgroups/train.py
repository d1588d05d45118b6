"""Train a small neural network to tell four newsgroups apart; scikit-learn, CPU only.

    python train.py --learning_rate 0.01 --num_epochs 10

The only line that knows of Sublight is the import of ``run``. Without a run around it the script prints what it would
have logged.
"""

import argparse
import os

import joblib
import numpy as np
from newsgroups import CATEGORIES, load_posts
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import classification_report, confusion_matrix, log_loss
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline

from sublight import run

FEATURES = 12_000


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learning_rate", type=float, default=0.01)
    parser.add_argument("--num_epochs", type=int, default=5)
    parser.add_argument("--batch_size", type=int, default=150)
    parser.add_argument("--hidden_size", type=int, default=100)
    parser.add_argument("--data_subset", type=float, default=1.0, help="share of the posts to use, above 0 up to 1")
    return parser.parse_args()


def draw(matrix):
    """The confusion matrix as a picture; None where matplotlib is not installed."""
    try:
        import matplotlib
    except ImportError:
        return None
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.figure(figsize=(5, 4))
    plt.imshow(matrix, cmap="Blues")
    plt.xticks(range(len(CATEGORIES)), CATEGORIES, rotation=20)
    plt.yticks(range(len(CATEGORIES)), CATEGORIES)
    for row, column in np.ndindex(matrix.shape):
        plt.text(column, row, matrix[row, column], ha="center", va="center")
    plt.xlabel("predicted")
    plt.ylabel("true")
    plt.tight_layout()
    return plt


def main():
    arguments = parse_arguments()
    posts = load_posts(arguments.data_subset)
    run.tag("data", posts.origin)

    vectorizer = TfidfVectorizer(max_features=FEATURES, stop_words="english", sublinear_tf=True, dtype=np.float32)
    train_inputs = vectorizer.fit_transform(posts.train_texts)
    test_inputs = vectorizer.transform(posts.test_texts)

    model = MLPClassifier(
        hidden_layer_sizes=(arguments.hidden_size,),
        learning_rate_init=arguments.learning_rate,
        batch_size=min(arguments.batch_size, len(posts.train_texts)),
        random_state=0,
    )
    classes = np.arange(len(CATEGORIES))
    for epoch in range(1, arguments.num_epochs + 1):
        model.partial_fit(train_inputs, posts.train_classes, classes=classes)
        probabilities = model.predict_proba(test_inputs)
        run.log("accuracy", np.mean(probabilities.argmax(axis=1) == posts.test_classes), step=epoch)
        run.log("loss", log_loss(posts.test_classes, probabilities, labels=classes), step=epoch)

    predicted = probabilities.argmax(axis=1)
    matrix = confusion_matrix(posts.test_classes, predicted, labels=classes)
    run.log_confusion_matrix("test", matrix, labels=CATEGORIES)
    plot = draw(matrix)
    if plot is not None:
        run.log_image("confusion", plot=plot)

    for training_state in ("_optimizer", "_best_coefs"):  # four fifths of the file, of no use for predictions
        vars(model).pop(training_state, None)
    os.makedirs("outputs", exist_ok=True)
    joblib.dump(make_pipeline(vectorizer, model), "outputs/model.joblib")
    report = classification_report(
        posts.test_classes, predicted, labels=classes, target_names=CATEGORIES, zero_division=0
    )
    with open("report.txt", "w") as file:
        file.write(report)
    run.upload_file("reports/classification.txt", "report.txt")


if __name__ == "__main__":
    main()
