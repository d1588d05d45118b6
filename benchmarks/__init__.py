"""Speed, measured: each command prints ratios against a peer or the bare script from the same run (python -m benchmarks)."""
