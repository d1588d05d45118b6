"""Install what the tests need from outside of Python's lock: Chromium (Debian) and PyTorch.

May we install, it is done; may we not, one sentence says what is skipped. In continuous integration (CI=true) nothing
may be skipped, so there a failure ends the run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

VENV_PYTHON = Path(__file__).parents[1] / ".venv/bin/python"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Without a version, or with a range, pip may fetch gigabytes of CUDA libraries.
TORCH = "torch==2.13.0"


def main() -> int:
    """Install what is missing; 1 when something is missing that must not be."""
    missing = [problem for problem in (browser(), torch()) if problem]
    for problem in missing:
        print(f"skipped: {problem}", file=sys.stderr)
    return 1 if missing and os.environ.get("CI") == "true" else 0


def browser() -> str | None:
    """A browser for the portal's tests."""
    if any(shutil.which(name) for name in BROWSERS):
        return None
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return "the browser tests: install Chromium (Debian: apt-get install chromium)"
    print("installing Chromium for the browser tests …", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    commands = (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
    )
    for command in commands:
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            return f"the browser tests: `{' '.join(command)}` failed: {done.stderr.strip().splitlines()[-1:]}"
    return None


def torch() -> str | None:
    """PyTorch, for the Gaussian-process sampler and the deep example."""
    if subprocess.run([VENV_PYTHON, "-c", "import torch"], capture_output=True).returncode == 0:
        return None
    print("installing PyTorch for the Gaussian-process sampler and the deep example …", flush=True)
    command = [VENV_PYTHON, "-m", "pip", "install", "--quiet", TORCH]
    done = subprocess.run(command, capture_output=True, text=True)
    return None if done.returncode == 0 else f"tests with PyTorch: `pip install {TORCH}` failed"


if __name__ == "__main__":
    sys.exit(main())
