"""``python -m benchmarks [sweep|noop|metrics] [--option value]``; without a name, all of them."""

from __future__ import annotations

import argparse

from benchmarks import metrics, noop, sweep
from benchmarks.project import machine


def main() -> None:
    """Run the benchmarks that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=["sweep", "noop", "metrics"])
    parser.add_argument("--trials", type=int, help="trials of the sweep (24) or of the no-op sweep (1000)")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    print(machine(), flush=True)
    if options.name in (None, "metrics"):
        for _ in range(options.repeats):
            metrics.main()
    if options.name in (None, "noop"):
        for _ in range(options.repeats):
            noop.main(options.trials or 1000)
    if options.name in (None, "sweep"):
        sweep.main(options.trials or 24, repeats=options.repeats)


if __name__ == "__main__":
    main()
