"""``python -m sublight``: ``serve`` and ``agent`` are our two kinds of process; all else is the command line."""

from __future__ import annotations

import sys


def main() -> int:
    """Dispatch to the process or the command that was asked for; returns the exit code."""
    from pathlib import Path

    arguments = sys.argv[1:]
    if arguments[:1] == ["serve"]:
        import argparse

        parser = argparse.ArgumentParser(prog="sublight serve", description="Run the server of a project.")
        parser.add_argument("--project", type=Path, default=Path.cwd())
        parser.add_argument("--port", type=int, default=None)
        options = parser.parse_args(arguments[1:])

        from sublight.core.errors import SublightError
        from sublight.wiring import serve

        try:
            return serve(options.project, options.port)
        except SublightError as error:
            print(f"sublight: {error}", file=sys.stderr)
            return 1
    if arguments[:1] == ["agent"]:
        from sublight.wiring import agent

        return agent(Path(arguments[arguments.index("--directory") + 1]))
    from sublight.cli.main import main as command_line

    return command_line()


if __name__ == "__main__":
    sys.exit(main())
