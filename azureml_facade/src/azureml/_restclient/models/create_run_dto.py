"""``CreateRunDto`` under the name of its own module."""

from __future__ import annotations

from azureml._restclient.models import CreateRunDto

__all__ = ["CreateRunDto"]
