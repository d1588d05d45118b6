"""Random numbers that follow from a seed, and streams of points without repetition."""

from __future__ import annotations

import hashlib
import json
import random
import secrets
import threading
from collections.abc import Callable, Hashable, Iterator
from functools import lru_cache

from sublight.core.errors import InvalidInput
from sublight.core.search_space import Point, SearchSpace

# Seeds survive JSON and JavaScript.
_SEED_MAX = 2**53
# After so many repeats in a row, the stream stops drawing in this way and takes the next one.
_REPEATS_MAX = 100


def draw_seed() -> int:
    """A fresh seed. It is recorded with the sampler, so that every sweep can be repeated."""
    return secrets.randbelow(2**31)


def check_seed(seed: object) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < _SEED_MAX:
        raise InvalidInput(
            f"a seed must be a whole number from 0 to 2**53 - 1, got {seed!r}; leave it out to have one drawn"
        )


def derived_seed(*parts: object) -> int:
    """A number of 128 bits that follows from ``parts`` alone, in every process and on every machine."""
    return int.from_bytes(hashlib.sha256(json.dumps(parts).encode()).digest()[:16], "big")


def derived_random(*parts: object) -> random.Random:
    """A random generator whose state follows from ``parts`` alone."""
    return random.Random(derived_seed(*parts))


class DistinctPoints:
    """The points of a finite space in the order of a stream of draws, each once; None when all were given.

    ``draw`` makes draw number n. The order is a function of the arguments; what is remembered saves time only. Safe to
    use from several threads.
    """

    def __init__(self, space: SearchSpace, draw: Callable[[int], Point], *, seed: int) -> None:
        self._start: Callable[[], Iterator[Point]] = lambda: _distinct_points(space, draw, seed)
        self._lock = threading.Lock()
        self._given: list[Point] = []
        self._coming = self._start()

    def nth(self, index: int) -> Point | None:
        """The point number ``index``, counted from 0."""
        with self._lock:
            try:
                while len(self._given) <= index:
                    self._given.append(next(self._coming))
            except StopIteration:
                return None
            except BaseException:
                # A generator that was interrupted is dead and would look like a space that is used up.
                self._given.clear()
                self._coming = self._start()
                raise
            return dict(self._given[index])


def _distinct_points(space: SearchSpace, draw: Callable[[int], Point], seed: int) -> Iterator[Point]:
    """Draws until repeats abound; then points by random number; at last a shuffled list of what is left.

    So the beginning follows the distributions, and the end of a finite space does not stall.
    """
    size = space.size
    assert size is not None, "only a finite space can be used up"
    seen: set[Hashable] = set()

    def until_repeats_abound(candidate: Callable[[int], Point]) -> Iterator[Point]:
        number = repeats = 0
        while len(seen) < size and repeats < _REPEATS_MAX:
            point = candidate(number)
            key = space.key(point)
            number += 1
            if key in seen:
                repeats += 1
                continue
            repeats = 0
            seen.add(key)
            yield point

    yield from until_repeats_abound(draw)
    yield from until_repeats_abound(lambda n: space.nth(int(derived_random(seed, "number", n).random() * size)))
    if len(seen) < size:
        left = [index for index, point in enumerate(space.points()) if space.key(point) not in seen]
        rng = derived_random(seed, "left")
        yield from (space.nth(index) for _, index in sorted((rng.random(), index) for index in left))


@lru_cache(maxsize=64)
def random_points(space_text: str, seed: int) -> DistinctPoints:
    """The distinct random points of a finite space, given as its JSON text so that equal spaces share the memory."""
    space = SearchSpace.from_json(json.loads(space_text))
    return DistinctPoints(space, lambda number: random_draw(space, seed, number), seed=seed)


def random_draw(space: SearchSpace, seed: int, number: int) -> Point:
    """Draw number ``number`` of the random stream of ``seed``."""
    return space.sample(derived_random(seed, "draw", number))


def text_of(space: SearchSpace) -> str:
    """The space as text that identifies it."""
    return json.dumps(space.to_json())
