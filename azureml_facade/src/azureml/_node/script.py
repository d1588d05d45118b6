"""Running a script in this process as Python itself would: as ``__main__``, with its own tracebacks and exit codes.

Readable by Python 3.8, standard library only.
"""

from __future__ import annotations

import builtins
import os
import sys
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def run_script(script: str, arguments: list[str]) -> int:
    """Run the file ``script`` to its end; the exit code that Python would end with.

    The script's module stays ``sys.modules["__main__"]`` afterwards, because its threads, its ``atexit`` functions and
    the pickles of its classes need it until the process ends.
    """
    path = os.path.abspath(script)
    main = ModuleType("__main__")
    main.__dict__.update(__file__=path, __builtins__=builtins, __spec__=None, __package__=None, __cached__=None)
    sys.argv[:] = [script, *arguments]
    # `python -m` put the working directory there; a script finds the modules beside it.
    sys.path[0] = os.path.dirname(path)
    sys.modules["__main__"] = main
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        print(f"sublight: the script {script} cannot be read: {error.strerror}", file=sys.stderr)
        return 2
    try:
        code = compile(source, path, "exec", dont_inherit=True)
        exec(code, main.__dict__)
    except SystemExit as end:
        return exit_code_of(end)
    except BaseException as error:
        show(error, path)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0


def exit_code_of(end: SystemExit) -> int:
    """The code of ``sys.exit(x)``; a text is printed, as Python does it."""
    code = end.code
    if code is None:
        return 0
    if isinstance(code, int):
        return int(code)
    sys.stdout.flush()
    print(code, file=sys.stderr)
    return 1


def show(error: BaseException, path: str) -> None:
    """Print a traceback that begins with the script, as if nothing stood around it."""
    trace: Any = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != path:
        trace = trace.tb_next
    sys.stdout.flush()
    error.__traceback__ = trace
    sys.excepthook(type(error), error, trace)
