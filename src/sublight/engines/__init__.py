"""Engines: what supplies nodes. An engine starts, lists and stops node agents, and does nothing else."""
