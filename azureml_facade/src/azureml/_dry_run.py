"""Trying a submission: with AZUREML_FACADE_DRY_RUN set, a script ends where it would have submitted its first run."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sublight import Script, Sweep

VARIABLE = "AZUREML_FACADE_DRY_RUN"
# How the line begins that says what would have been submitted.
MARK = "azureml dry run: would submit "

_OFF = ("", "0", "false", "no", "off")


class SubmissionTried(SystemExit):
    """The submission is as it should be, and nothing was submitted; ends the program with exit code 0."""


def stop_if_dry(what: Script | Sweep, target: str, experiment: str) -> None:
    """In a dry run: pack the source, say what would be submitted in one line, and end the program.

    What the configuration, the script, its source or the target lack has been said, or is said here, as an error.
    """
    if os.environ.get(VARIABLE, "").strip().lower() in _OFF:
        return
    from sublight import Sweep
    from sublight.sdk.snapshot import pack

    script = what.script if isinstance(what, Sweep) else what
    packed = pack(script.source, shown=script.shown_source)
    script.check_packed(packed)
    kind = f"a sweep of up to {what.max_trials} runs of " if isinstance(what, Sweep) else ""
    words = " ".join([script.script or script.command or "", *script.arguments])
    files = "1 file" if len(packed.files) == 1 else f"{len(packed.files)} files"
    print(f"{MARK}{kind}{words!r} to {target!r}, experiment {experiment!r}, with {files}", flush=True)
    sys.stderr.flush()
    raise SubmissionTried(0)
