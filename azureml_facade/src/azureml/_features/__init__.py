"""The table of what works: every name of the SDK v1 in scope, whether it works here, and how it differs.

``docs/azureml.md``, ``sublight azureml check`` and ``sublight azureml coverage`` are made from it.
"""
