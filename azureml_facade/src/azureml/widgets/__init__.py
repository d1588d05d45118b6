"""azureml.widgets: a run shown while it goes on."""

from azureml.widgets.run_details import RunDetails

__all__ = ["RunDetails"]
