"""Stands in for an agent: starts a daemon that leaves parent, session and group, then waits to be ended."""

import os
import signal
import sys
import time

directory = sys.argv[sys.argv.index("--directory") + 1]
if "--ignore-sigterm" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork():
        os._exit(0)
    with open(os.path.join(directory, "up.new"), "w") as file:
        file.write(f"{os.getpid()}\n{os.getcwd()}\n{os.environ.get('SUBLIGHT_TOKEN')}")
    os.rename(os.path.join(directory, "up.new"), os.path.join(directory, "up"))
    time.sleep(300)
    os._exit(0)
os.wait()
time.sleep(300)
