"""Words that the original's services used."""

from __future__ import annotations

import builtins


class RunStatus:
    """The statuses of runs."""

    NOT_STARTED = "NotStarted"
    STARTING = "Starting"
    PROVISIONING = "Provisioning"
    PREPARING = "Preparing"
    QUEUED = "Queued"
    RUNNING = "Running"
    FINALIZING = "Finalizing"
    CANCEL_REQUESTED = "CancelRequested"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELED = "Canceled"
    NOT_RESPONDING = "NotResponding"
    UNAPPROVED = "Unapproved"
    PAUSING = "Pausing"
    PAUSED = "Paused"

    @classmethod
    def list(cls) -> builtins.list[str]:
        """All of them."""
        return [value for name, value in vars(cls).items() if name.isupper()]

    @classmethod
    def get_running_statuses(cls) -> builtins.list[str]:
        """Those of runs that have not ended."""
        return [status for status in cls.list() if status not in (cls.COMPLETED, cls.FAILED, cls.CANCELED)]
