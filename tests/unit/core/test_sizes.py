"""The catalogue of sizes."""

from __future__ import annotations

import pytest

from sublight.core.errors import InvalidInput
from sublight.core.sizes import (
    CATALOGUE,
    GIB,
    PRICES_PER_HOUR,
    all_sizes,
    custom_sizes,
    find_size,
    host_size,
    nearest_size,
    without_gpus,
)


@pytest.mark.parametrize("name", ["STANDARD_D3_V2", "Standard_D3_v2", "standard_d3_v2", "D3_v2", " d3_V2 "])
def test_a_size_is_found_however_its_name_is_written(name: str) -> None:
    size = find_size(name)

    assert (size.name, size.cores, size.memory_bytes, size.gpus) == ("STANDARD_D3_V2", 4, 14 * GIB, 0)


@pytest.mark.parametrize(
    ("name", "cores", "memory_gib", "gpus", "gpu_name"),
    [
        ("STANDARD_D1_V2", 1, 3.5, 0, ""),
        ("Standard_DS12_v2", 4, 28, 0, ""),
        ("Standard_NC6", 6, 56, 1, "K80"),
        ("Standard_NC24rs_v3", 24, 448, 4, "V100"),
        ("Standard_NC64as_T4_v3", 64, 440, 4, "T4"),
        ("Standard_NC96ads_A100_v4", 96, 880, 4, "A100 80 GB"),
        ("Standard_ND96asr_v4", 96, 900, 8, "A100 40 GB"),
        ("Standard_NV12", 12, 112, 2, "M60"),
    ],
)
def test_the_catalogue_says_what_a_size_has(name: str, cores: int, memory_gib: float, gpus: int, gpu_name: str) -> None:
    size = find_size(name)

    assert (size.cores, size.memory_bytes, size.gpus, size.gpu_name) == (cores, memory_gib * GIB, gpus, gpu_name)


def test_every_size_of_the_catalogue_has_a_price_and_every_price_a_size() -> None:
    assert {size.name for size in CATALOGUE if not size.price_per_hour} == set()
    assert {find_size(name).price_per_hour for name in PRICES_PER_HOUR} == set(PRICES_PER_HOUR.values())
    assert len(CATALOGUE) == len(PRICES_PER_HOUR)


def test_an_unknown_size_is_answered_with_the_nearest_ones() -> None:
    with pytest.raises(InvalidInput, match=r"no size 'STANDARD_D3_V3'; the nearest are .*STANDARD_D3_V2"):
        find_size("STANDARD_D3_V3")


def test_a_size_that_is_like_nothing_is_answered_with_where_to_look() -> None:
    with pytest.raises(InvalidInput, match="settings can add custom sizes"):
        find_size("????")


def test_this_host_is_a_size_without_a_price() -> None:
    size = host_size(2, 24 * GIB, 0)

    assert (size.name, size.cores, size.price_per_hour) == ("local", 2, None)


def test_settings_add_a_size() -> None:
    (bench,) = custom_sizes([{"name": "bench", "cores": 12, "memory_gib": 64, "gpus": 1, "gpu_name": "RTX"}])

    assert find_size("BENCH", [bench]) == bench
    assert (bench.memory_bytes, bench.price_per_hour) == (64 * GIB, None)
    assert all_sizes([bench])[0] == bench


def test_settings_change_a_price_and_nothing_else() -> None:
    custom = custom_sizes([{"name": "standard_nc6", "price_per_hour": 0.4}])

    size = find_size("NC6", custom)
    assert (size.price_per_hour, size.cores, size.name) == (0.4, 6, "STANDARD_NC6")
    assert [size.name for size in all_sizes(custom)].count("STANDARD_NC6") == 1


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({}, "needs a name"),
        ({"name": "x", "memory_gib": 1}, "needs cores"),
        ({"name": "x", "cores": 1}, "needs memory_bytes"),
        ({"name": "x", "cores": 0, "memory_gib": 1}, "cores .* 1 or more, got 0"),
        ({"name": "x", "cores": 1.5, "memory_gib": 1}, "whole number, got 1.5"),
        ({"name": "x", "cores": "4", "memory_gib": 1}, "cores .* got '4'"),
        ({"name": "x", "cores": True, "memory_gib": 1}, "got True"),
        ({"name": "x", "cores": 1, "memory_gib": float("nan")}, "memory_gib .* got nan"),
        ({"name": "x", "cores": 1, "memory_gib": 1, "price_per_hour": -1}, "price_per_hour .* got -1"),
        ({"name": "x", "cores": 1, "memory_gib": 1, "gpu": 1}, "unknown key 'gpu'"),
        ({"name": "x", "cores": 1, "memory_gib": 1, "gpu_name": 3}, "gpu_name .* must be text"),
    ],
)
def test_a_custom_size_that_makes_no_sense_is_refused(row: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        custom_sizes([row])


@pytest.mark.parametrize(
    ("name", "cores"),
    [("Standard_E16s_v3", 16), ("STANDARD_B2MS", 2), ("M64", 64), ("Basic_A3", 4), ("fastest", 4), ("E99999", 1024)],
)
def test_a_size_that_nobody_knows_can_be_made_after_its_name(name: str, cores: int) -> None:
    size = nearest_size(name)

    assert (size.name, size.cores, size.memory_bytes) == (name, cores, cores * 4 * GIB)
    assert (size.gpus, size.price_per_hour) == (0, None)


def test_a_known_size_is_its_own_nearest_and_may_leave_its_gpus_behind() -> None:
    size = without_gpus(nearest_size("standard_nc6"))

    assert (size.name, size.cores, size.memory_bytes) == ("STANDARD_NC6", 6, 56 * GIB)
    assert (size.gpus, size.gpu_name, size.gpu_memory_bytes, size.price_per_hour) == (0, "", 0, None)
