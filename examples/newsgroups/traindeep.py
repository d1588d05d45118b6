"""Train a network with two hidden layers to tell four newsgroups apart; PyTorch, on a GPU or on the CPU.

    python traindeep.py --learning_rate 0.001 --num_epochs 10 --device auto

The inputs are the counts of the most frequent words. The only line that knows of Sublight is the import of ``run``.
"""

import argparse
import os

import numpy as np
import torch
from newsgroups import CATEGORIES, load_posts
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import classification_report, confusion_matrix
from torch import nn

from sublight import run

VOCABULARY = 10_000


class Network(nn.Module):
    """Word counts in, two hidden layers of one size, a score for each newsgroup out."""

    def __init__(self, input_size, hidden_size, classes_count):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(input_size, hidden_size),
            nn.ReLU(),
            nn.Linear(hidden_size, hidden_size),
            nn.ReLU(),
            nn.Linear(hidden_size, classes_count),
        )

    def forward(self, counts):
        return self.layers(counts)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learning_rate", type=float, default=0.001)
    parser.add_argument("--num_epochs", type=int, default=5)
    parser.add_argument("--batch_size", type=int, default=150)
    parser.add_argument("--hidden_size", type=int, default=100)
    parser.add_argument("--data_subset", type=float, default=1.0, help="share of the posts to use, above 0 up to 1")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    return parser.parse_args()


def choose_device(wish):
    if wish == "cuda" and not torch.cuda.is_available():
        raise SystemExit("--device cuda was asked for, but PyTorch sees no GPU here; use --device auto")
    if wish == "auto":
        wish = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(wish)


def train_epoch(network, optimizer, inputs, classes, batch_size):
    """Go through all batches once, in a random order; return the mean loss."""
    network.train()
    loss_of = nn.CrossEntropyLoss()
    total = 0.0
    for batch in torch.randperm(len(inputs)).split(batch_size):
        chosen = batch.to(inputs.device)
        optimizer.zero_grad()
        loss = loss_of(network(inputs[chosen]), classes[chosen])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(inputs)


def predict(network, inputs):
    network.eval()
    with torch.no_grad():
        return network(inputs).argmax(dim=1).cpu().numpy()


def main():
    arguments = parse_arguments()
    torch.manual_seed(0)
    device = choose_device(arguments.device)
    print(f"training on {torch.cuda.get_device_name(device) if device.type == 'cuda' else 'the CPU'}")

    posts = load_posts(arguments.data_subset)
    run.set_tags({"data": posts.origin, "device": device.type})
    vectorizer = CountVectorizer(max_features=VOCABULARY, dtype=np.float32)
    train_inputs = torch.from_numpy(vectorizer.fit_transform(posts.train_texts).toarray()).to(device)
    test_inputs = torch.from_numpy(vectorizer.transform(posts.test_texts).toarray()).to(device)
    train_classes = torch.from_numpy(posts.train_classes).long().to(device)

    network = Network(train_inputs.shape[1], arguments.hidden_size, len(CATEGORIES)).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=arguments.learning_rate)
    for epoch in range(1, arguments.num_epochs + 1):
        loss = train_epoch(network, optimizer, train_inputs, train_classes, arguments.batch_size)
        predicted = predict(network, test_inputs)
        run.log("accuracy", np.mean(predicted == posts.test_classes), step=epoch)
        run.log("loss", loss, step=epoch)

    labels = range(len(CATEGORIES))
    matrix = confusion_matrix(posts.test_classes, predicted, labels=labels)
    run.log_confusion_matrix("test", matrix, labels=CATEGORIES)

    os.makedirs("outputs", exist_ok=True)
    torch.save(network.state_dict(), "outputs/model.pt")
    report = classification_report(
        posts.test_classes, predicted, labels=labels, target_names=CATEGORIES, zero_division=0
    )
    with open("report.txt", "w") as file:
        file.write(report)
    run.upload_file("reports/classification.txt", "report.txt")


if __name__ == "__main__":
    main()
