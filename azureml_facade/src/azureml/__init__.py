"""The names of the Azure ML SDK v1 over Sublight. Nothing is loaded until a name is used."""

__version__ = "0.1.0"
