"""The run that the submission of a script gives."""

from azureml.core.run import ScriptRun

__all__ = ["ScriptRun"]
