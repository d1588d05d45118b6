"""The sizes a node can have: the catalogue of the cloud's names, this host, and sizes a workspace adds itself."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sublight.core.errors import InvalidInput

GIB = 2**30
_PREFIX = "STANDARD_"
GUESSED_CORES = 4
GUESSED_CORES_MAX = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What one node offers. ``price_per_hour`` is None where nobody is charged; ``gpu_memory_bytes`` sums all GPUs."""

    name: str
    cores: int
    memory_bytes: int
    gpus: int = 0
    gpu_name: str = ""
    gpu_memory_bytes: int = 0
    disk_bytes: int = 0
    price_per_hour: float | None = None


def find_size(name: str, custom: Sequence[Size] = ()) -> Size:
    """The size called ``name``, whatever its letters' case and with or without ``Standard_``; custom sizes come first.

    Raises InvalidInput that names the nearest sizes when there is none.
    """
    key = _key(name)
    for size in custom:
        if _key(size.name) == key:
            return size
    if key in _BY_KEY:
        return _BY_KEY[key]
    raise InvalidInput(f"there is no size {name!r}; {_advice(key, custom)}")


def nearest_size(name: str, custom: Sequence[Size] = ()) -> Size:
    """The size called ``name``; for a name that nobody knows one without GPUs and price, made after the name.

    Cloud sizes carry their number of cores behind the letters of their family (``Standard_E16s_v3``); it is believed
    up to ``GUESSED_CORES_MAX``, and there are 4 GiB for each core.
    """
    try:
        return find_size(name, custom)
    except InvalidInput:
        number = re.match(r"[A-Z]+(\d{1,4})", _key(name))
        cores = min(max(1, int(number[1])), GUESSED_CORES_MAX) if number else GUESSED_CORES
        return Size(name=name.strip() or "unnamed", cores=cores, memory_bytes=cores * 4 * GIB)


def without_gpus(size: Size) -> Size:
    """The same cores and memory; without a price, because nobody offers it."""
    return replace(size, gpus=0, gpu_name="", gpu_memory_bytes=0, price_per_hour=None)


def all_sizes(custom: Sequence[Size] = ()) -> list[Size]:
    """The catalogue, in its families' order, with ``custom`` sizes in front; a custom size hides one of its name."""
    hidden = {_key(size.name) for size in custom}
    return [*custom, *(size for key, size in _BY_KEY.items() if key not in hidden)]


def host_size(cores: int, memory_bytes: int, gpus: int = 0, gpu_name: str = "") -> Size:
    """The size of this host, for the compute target ``local``; it costs nothing."""
    return Size(name="local", cores=cores, memory_bytes=memory_bytes, gpus=gpus, gpu_name=gpu_name)


def custom_sizes(rows: Sequence[Mapping[str, Any]]) -> tuple[Size, ...]:
    """The sizes that the settings add, from mappings with the keys of ``Size`` (memory also as ``memory_gib``).

    A row whose name is in the catalogue starts from that size, so ``{"name": "NC6", "price_per_hour": 0.4}`` changes
    only the price. Raises InvalidInput that names the row and the key.
    """
    return tuple(_custom_size(row) for row in rows)


def _key(name: str) -> str:
    key = name.strip().upper()
    return key.removeprefix(_PREFIX)


def _advice(key: str, custom: Sequence[Size]) -> str:
    names = {_key(size.name): size.name for size in all_sizes(custom)}
    near = difflib.get_close_matches(key, names, n=3, cutoff=0.5)
    if near:
        return f"the nearest are {', '.join(names[match] for match in near)}"
    return "`sublight cluster sizes` lists what there is, and settings can add custom sizes"


def _custom_size(row: Mapping[str, Any]) -> Size:
    name = row.get("name")
    if not isinstance(name, str) or not name.strip():
        raise InvalidInput(f"a custom size needs a name, got {name!r}; write for example name: bench-machine")
    values: dict[str, Any] = {key: value for key, value in row.items() if key not in ("name", "memory_gib")}
    if "memory_gib" in row:
        gib = _number(name, "memory_gib", row["memory_gib"], least=0)
        values["memory_bytes"] = int(gib * GIB)
    for key in values:
        if key not in _FIELDS:
            raise InvalidInput(f"the custom size {name!r} has the unknown key {key!r}; known are {', '.join(_FIELDS)}")
    base = _BY_KEY.get(_key(name))
    if base is None:
        for needed in ("cores", "memory_bytes"):
            if needed not in values:
                raise InvalidInput(f"the custom size {name!r} needs {needed} (a whole number above 0)")
        base = Size(name=name.strip(), cores=1, memory_bytes=1)
    for key, kind in _FIELDS.items():
        if key in values:
            values[key] = _checked(name, key, kind, values[key])
    return replace(base, **values)


_FIELDS: dict[str, type] = {
    "cores": int,
    "memory_bytes": int,
    "gpus": int,
    "gpu_name": str,
    "gpu_memory_bytes": int,
    "disk_bytes": int,
    "price_per_hour": float,
}


def _checked(name: str, key: str, kind: type, value: object) -> int | float | str | None:
    if kind is str:
        if not isinstance(value, str):
            raise InvalidInput(f"{key} of the custom size {name!r} must be text, got {value!r}")
        return value
    if key == "price_per_hour":
        return None if value is None else _number(name, key, value, least=0)
    least = 1 if key in ("cores", "memory_bytes") else 0
    number = _number(name, key, value, least=least)
    if number != int(number):
        raise InvalidInput(f"{key} of the custom size {name!r} must be a whole number, got {value!r}")
    return int(number)


def _number(name: str, key: str, value: object, *, least: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < least:
        raise InvalidInput(f"{key} of the custom size {name!r} must be a number of {least:g} or more, got {value!r}")
    return float(value)


# Orientation values from public pay-as-you-go price lists (Linux, US dollars an hour). They change with region and
# year, so treat them as a starting point: a custom size of the same name in the settings overrides any of them.
PRICES_PER_HOUR: dict[str, float] = {
    "D1_V2": 0.073, "D2_V2": 0.146, "D3_V2": 0.293, "D4_V2": 0.585, "D5_V2": 1.17,
    "DS1_V2": 0.073, "DS2_V2": 0.146, "DS3_V2": 0.293, "DS4_V2": 0.585, "DS5_V2": 1.17,
    "D11_V2": 0.185, "D12_V2": 0.37, "D13_V2": 0.741, "D14_V2": 1.482,
    "DS11_V2": 0.185, "DS12_V2": 0.37, "DS13_V2": 0.741, "DS14_V2": 1.482,
    "D2S_V3": 0.096, "D4S_V3": 0.192, "D8S_V3": 0.384, "D16S_V3": 0.768,
    "D2_V3": 0.096, "D4_V3": 0.192, "D8_V3": 0.384, "D16_V3": 0.768,
    "F4S_V2": 0.169, "F8S_V2": 0.338, "F16S_V2": 0.677,
    "NC6": 0.90, "NC12": 1.80, "NC24": 3.60, "NC24R": 3.96,
    "NC6S_V2": 2.07, "NC12S_V2": 4.14, "NC24S_V2": 8.28, "NC24RS_V2": 9.108,
    "NC6S_V3": 3.06, "NC12S_V3": 6.12, "NC24S_V3": 12.24, "NC24RS_V3": 13.464,
    "NC4AS_T4_V3": 0.526, "NC8AS_T4_V3": 0.752, "NC16AS_T4_V3": 1.204, "NC64AS_T4_V3": 4.352,
    "NC24ADS_A100_V4": 3.673, "NC48ADS_A100_V4": 7.346, "NC96ADS_A100_V4": 14.692,
    "ND40RS_V2": 22.032, "ND96ASR_V4": 27.197,
    "NV6": 1.14, "NV12": 2.28, "NV24": 4.56,
}  # fmt: skip

# name, cores, memory GiB, temporary disk GiB, GPUs, GPU name, GPU memory GiB in total
_ROWS: tuple[tuple[str, int, float, int, int, str, int], ...] = (
    ("D1_V2", 1, 3.5, 50, 0, "", 0),
    ("D2_V2", 2, 7, 100, 0, "", 0),
    ("D3_V2", 4, 14, 200, 0, "", 0),
    ("D4_V2", 8, 28, 400, 0, "", 0),
    ("D5_V2", 16, 56, 800, 0, "", 0),
    ("DS1_V2", 1, 3.5, 7, 0, "", 0),
    ("DS2_V2", 2, 7, 14, 0, "", 0),
    ("DS3_V2", 4, 14, 28, 0, "", 0),
    ("DS4_V2", 8, 28, 56, 0, "", 0),
    ("DS5_V2", 16, 56, 112, 0, "", 0),
    ("D11_V2", 2, 14, 100, 0, "", 0),
    ("D12_V2", 4, 28, 200, 0, "", 0),
    ("D13_V2", 8, 56, 400, 0, "", 0),
    ("D14_V2", 16, 112, 800, 0, "", 0),
    ("DS11_V2", 2, 14, 28, 0, "", 0),
    ("DS12_V2", 4, 28, 56, 0, "", 0),
    ("DS13_V2", 8, 56, 112, 0, "", 0),
    ("DS14_V2", 16, 112, 224, 0, "", 0),
    ("D2S_V3", 2, 8, 16, 0, "", 0),
    ("D4S_V3", 4, 16, 32, 0, "", 0),
    ("D8S_V3", 8, 32, 64, 0, "", 0),
    ("D16S_V3", 16, 64, 128, 0, "", 0),
    ("D2_V3", 2, 8, 50, 0, "", 0),
    ("D4_V3", 4, 16, 100, 0, "", 0),
    ("D8_V3", 8, 32, 200, 0, "", 0),
    ("D16_V3", 16, 64, 400, 0, "", 0),
    ("F4S_V2", 4, 8, 32, 0, "", 0),
    ("F8S_V2", 8, 16, 64, 0, "", 0),
    ("F16S_V2", 16, 32, 128, 0, "", 0),
    ("NC6", 6, 56, 340, 1, "K80", 12),
    ("NC12", 12, 112, 680, 2, "K80", 24),
    ("NC24", 24, 224, 1440, 4, "K80", 48),
    ("NC24R", 24, 224, 1440, 4, "K80", 48),
    ("NC6S_V2", 6, 112, 736, 1, "P100", 16),
    ("NC12S_V2", 12, 224, 1474, 2, "P100", 32),
    ("NC24S_V2", 24, 448, 2948, 4, "P100", 64),
    ("NC24RS_V2", 24, 448, 2948, 4, "P100", 64),
    ("NC6S_V3", 6, 112, 736, 1, "V100", 16),
    ("NC12S_V3", 12, 224, 1474, 2, "V100", 32),
    ("NC24S_V3", 24, 448, 2948, 4, "V100", 64),
    ("NC24RS_V3", 24, 448, 2948, 4, "V100", 64),
    ("NC4AS_T4_V3", 4, 28, 180, 1, "T4", 16),
    ("NC8AS_T4_V3", 8, 56, 360, 1, "T4", 16),
    ("NC16AS_T4_V3", 16, 110, 360, 1, "T4", 16),
    ("NC64AS_T4_V3", 64, 440, 2880, 4, "T4", 64),
    ("NC24ADS_A100_V4", 24, 220, 64, 1, "A100 80 GB", 80),
    ("NC48ADS_A100_V4", 48, 440, 128, 2, "A100 80 GB", 160),
    ("NC96ADS_A100_V4", 96, 880, 256, 4, "A100 80 GB", 320),
    ("ND40RS_V2", 40, 672, 2948, 8, "V100 32 GB", 256),
    ("ND96ASR_V4", 96, 900, 6000, 8, "A100 40 GB", 320),
    ("NV6", 6, 56, 340, 1, "M60", 8),
    ("NV12", 12, 112, 680, 2, "M60", 16),
    ("NV24", 24, 224, 1440, 4, "M60", 32),
)

_BY_KEY: dict[str, Size] = {
    name: Size(
        name=_PREFIX + name,
        cores=cores,
        memory_bytes=int(memory * GIB),
        gpus=gpus,
        gpu_name=gpu_name,
        gpu_memory_bytes=gpu_memory * GIB,
        disk_bytes=disk * GIB,
        price_per_hour=PRICES_PER_HOUR.get(name),
    )
    for name, cores, memory, disk, gpus, gpu_name, gpu_memory in _ROWS
}

CATALOGUE: tuple[Size, ...] = tuple(_BY_KEY.values())
