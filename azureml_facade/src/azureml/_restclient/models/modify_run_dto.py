"""``ModifyRunDto`` under the name of its own module."""

from __future__ import annotations

from azureml._restclient.models import ModifyRunDto

__all__ = ["ModifyRunDto"]
