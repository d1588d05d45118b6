"""What goes wrong with sweeps, under the names that scripts catch (fact sheet §1, §7.11)."""

from __future__ import annotations

from azureml.exceptions import AzureMLException


class HyperDriveException(AzureMLException):
    """Base of everything that a sweep raises."""


class HyperDriveServiceException(HyperDriveException):
    """The server refused or could not do what was asked of a sweep."""


class HyperDriveConfigException(HyperDriveException):
    """A space, sampler, policy or HyperDriveConfig that cannot be."""


class HyperDriveScenarioNotSupportedException(HyperDriveConfigException):
    """A sweep of a kind that is not supported."""


class HyperDriveNotImplementedException(HyperDriveScenarioNotSupportedException):
    """A method that a run of a sweep does not offer."""


class HyperDriveRehydrateException(HyperDriveException):
    """The configuration of a sweep cannot be made again from what is stored of it."""
