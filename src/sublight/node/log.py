"""The agent's own log: one line an event on standard output, which the engine writes into ``agent.log``."""

from __future__ import annotations

import time


def log(event: str, **fields: object) -> None:
    """Note an event with its fields. No secret may be among them."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    values = "".join(f" {name}={value!r}" for name, value in fields.items())
    try:
        print(f"{moment}Z {event}{values}", flush=True)
    except OSError:
        return  # a full disk must not end the runs
