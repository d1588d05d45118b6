"""What this machine has: cores, memory, GPUs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

_GPU_DEVICE = re.compile(r"nvidia\d+")


def cores_count() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_bytes() -> int:
    """The machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def gpus_count() -> int:
    """How many NVIDIA GPUs this process can reach: by their device files, else by asking ``nvidia-smi``."""
    try:
        devices = [name for name in os.listdir("/dev") if _GPU_DEVICE.fullmatch(name)]
    except OSError:
        devices = []
    if devices:
        return len(devices)
    program = shutil.which("nvidia-smi")
    if program is None:
        return 0
    try:
        answer = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return sum(line.startswith("GPU ") for line in answer.stdout.splitlines())
