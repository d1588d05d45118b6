"""Waiting for a run as v1 did: quietly, or with its log on the screen."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from azureml._run_details import as_json

_POLL_SECONDS = 0.2
_CHILD_PATIENCE_SECONDS = 60.0


def wait_for_completion(
    run: Any, show_output: bool, wait_post_processing: bool, raise_on_error: bool
) -> dict[str, Any]:
    """Come back when ``run`` has ended; ActivityFailedException when it failed and ``raise_on_error``."""
    from azureml.core.run import _v1_errors
    from azureml.exceptions import ActivityFailedException, ExperimentExecutionException

    try:
        with _v1_errors():
            if show_output:
                _show(run)
            else:
                # Until all files have come in, whatever wait_post_processing says: programs ask for them next.
                run._sdk_run.wait()
    except KeyboardInterrupt:
        if not show_output:
            raise
        raise ExperimentExecutionException(
            f"the output of run {run.id} is no longer followed; the run goes on, and run.cancel() ends it"
        ) from None
    details: dict[str, Any] = run.get_details()
    if show_output:
        print(f"\nExecution Summary\n=================\nRunId: {run.id}\nWeb View: {run.get_portal_url()}\n")
        if "error" in details:
            print(f"{details['error']['error']['message']}\n")
        sys.stdout.flush()
    if raise_on_error and details["status"] == "Failed":
        raise ActivityFailedException(error_details=as_json(details.get("error", {})))
    return details


def run_that_will_be_there(sdk: Any, run_id: str, *, sleep: Callable[[float], None] = time.sleep) -> Any:
    """The run of this id, which a program has begun a moment ago and whose news may be on its way to the server."""
    from sublight.sdk.errors import NotFound

    deadline = time.monotonic() + _CHILD_PATIENCE_SECONDS
    while True:
        try:
            return sdk.run(run_id)
        except NotFound:
            if time.monotonic() > deadline:
                raise
        sleep(_POLL_SECONDS)


def _show(run: Any) -> None:
    print(f"RunId: {run.id}\nWeb View: {run.get_portal_url()}")
    title = "Streaming azureml-logs/70_driver_log.txt"
    print(f"\n{title}\n{'=' * len(title)}\n", flush=True)
    run._sdk_run.stream_logs(out=sys.stdout)
    run._sdk_run.refresh()
