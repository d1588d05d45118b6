"""Thinning a curve for a chart: fewer points, but no peak lost."""

from __future__ import annotations

import math
from collections.abc import Sequence


def kept_indexes(values: Sequence[float], points_max: int) -> list[int]:
    """Indexes of about ``points_max`` points: the first, the last, and each stretch's least and greatest value."""
    count = len(values)
    if count <= points_max:
        return list(range(count))
    stretches = max(1, points_max // 2)
    kept = {0, count - 1}
    for stretch in range(stretches):
        start, stop = stretch * count // stretches, (stretch + 1) * count // stretches
        finite = [i for i in range(start, stop) if math.isfinite(values[i])]
        if finite:
            kept.add(min(finite, key=values.__getitem__))
            kept.add(max(finite, key=values.__getitem__))
        elif start < stop:
            kept.add(start)
    return sorted(kept)
