"""``sublight azureml check``: what becomes of the calls of the SDK v1 in scripts and notebooks."""
