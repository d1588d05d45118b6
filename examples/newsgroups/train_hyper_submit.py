"""Search for good hyperparameters of ``train.py`` on a cluster, and print the best trial.

    python create_cpu_compute.py
    python train_hyper_submit.py --max-trials 24

``--on local`` runs the very same sweep on this machine. Ctrl-C ends the watching, not the sweep.
"""

import argparse
import sys
from pathlib import Path

import sublight as sl

HERE = Path(__file__).parent


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--max-trials", type=int, default=80)
    parser.add_argument("--max-concurrent", type=int, default=4)
    parser.add_argument("--on", default="hypercomputecpu", help="the name of a cluster, or local")
    return parser.parse_args()


def make_sweep(max_trials, max_concurrent):
    return sl.Sweep(
        sl.Script("train.py", source=HERE),
        space={
            "learning_rate": sl.loguniform(1e-5, 1.0),
            "num_epochs": sl.choice(5, 10, 15),
            "batch_size": sl.choice(150, 200),
            "hidden_size": sl.choice(50, 100),
        },
        sampler=sl.Bayesian(seed=7),
        policy=sl.Bandit(slack_factor=0.1, evaluation_interval=1, delay_evaluation=2),
        goal=sl.maximize("accuracy"),
        max_trials=max_trials,
        max_concurrent=max_concurrent,
        max_minutes=60,
    )


def main():
    arguments = parse_arguments()
    ws = sl.Workspace.from_config()
    sweep = make_sweep(arguments.max_trials, arguments.max_concurrent)
    run = ws.experiment("newsgroups_train_hypertune_cpu").submit(sweep, on=arguments.on)
    print(f"Submitted the sweep {run.id}.")
    try:
        run.wait(progress=True)
    except KeyboardInterrupt:
        sys.exit(130)  # the sweep goes on, and it has been said how to come back to it
    print(f"The sweep is {run.status}. {run.reason}")
    best = run.best
    print(f"Best trial: {best.id}, accuracy {best.best_value:.4f}, arguments {' '.join(best.arguments)}")


if __name__ == "__main__":
    try:
        main()
    except sl.SublightError as error:
        sys.exit(f"{error}")
