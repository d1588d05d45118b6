"""One line in the run's log for each name that was put back and is used."""

from __future__ import annotations

import hashlib
import os
import sys

_FOLDER = "compat"
_said: set[str] = set()


def announce(what: str) -> None:
    """Say ``what`` once in a run, whichever of its processes comes first."""
    if what in _said:
        return
    _said.add(what)
    if _is_first(what):
        print(f"sublight: {what} (switch off: AZUREML_FACADE_COMPAT=off)", file=sys.stderr, flush=True)


def _is_first(what: str) -> bool:
    directory = os.environ.get("SUBLIGHT_RUN_DIRECTORY")
    if not directory:
        return True
    marker = os.path.join(directory, _FOLDER, hashlib.sha256(what.encode()).hexdigest()[:16])
    try:
        os.makedirs(os.path.dirname(marker), exist_ok=True)
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return False
    except OSError:
        return True
    return True
