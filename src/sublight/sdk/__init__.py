"""What people program against: the workspace and what is in it, and `run` inside a training script."""
