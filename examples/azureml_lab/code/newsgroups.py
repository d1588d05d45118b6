"""The data of the example: posts of four newsgroups, real ones where possible, else generated ones of the same shape.

The real posts are scikit-learn's "20 newsgroups". They are taken from its cache (``SCIKIT_LEARN_DATA``, by default
``~/scikit_learn_data``) or downloaded once, if that takes no more than ten seconds. Where neither works, posts are
generated: as many, in as many classes, hard enough that the choice of hyperparameters matters.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import fetch_20newsgroups, get_data_home

CATEGORIES = ["alt.atheism", "comp.graphics", "sci.space", "talk.religion.misc"]
CLASS_COUNTS = {"train": (480, 584, 593, 377), "test": (319, 389, 394, 251)}

DOWNLOAD_SECONDS_MAX = 10.0
CONNECT_SECONDS_MAX = 3.0
# After a failed download the trials of a sweep shall not try again one by one.
RETRY_AFTER_SECONDS = 600.0

_CACHE_FILE = "20news-bydate_py3.pkz"
_DOWNLOAD_HOST = ("ndownloader.figshare.com", 443)


@dataclass(frozen=True)
class Posts:
    """Texts with the index of their class in ``CATEGORIES``; ``origin`` says where they come from."""

    train_texts: list[str]
    train_classes: np.ndarray
    test_texts: list[str]
    test_classes: np.ndarray
    origin: str


def load_posts(share: float = 1.0) -> Posts:
    """The posts, training and test; ``share`` below 1 keeps the first part of each, in a shuffled but fixed order."""
    problem = _fetch_problem()
    if problem:
        print(f"20 newsgroups is not cached here and {problem}: this run uses generated posts of the same shape.")
        (train_texts, train_classes), (test_texts, test_classes) = _generate("train"), _generate("test")
    else:
        (train_texts, train_classes), (test_texts, test_classes) = _cached("train"), _cached("test")
    train_count, test_count = round(len(train_texts) * share), round(len(test_texts) * share)
    return Posts(
        train_texts[:train_count],
        train_classes[:train_count],
        test_texts[:test_count],
        test_classes[:test_count],
        origin="generated" if problem else "20 newsgroups",
    )


def _cached(subset: str) -> tuple[list[str], np.ndarray]:
    bunch = fetch_20newsgroups(
        subset=subset, categories=CATEGORIES, shuffle=True, random_state=42, download_if_missing=False
    )
    return list(bunch.data), np.asarray(bunch.target)


def _fetch_problem() -> str:
    """Make sure that the posts are in the cache; else say why they are not."""
    try:
        cache = Path(get_data_home()) / _CACHE_FILE  # makes the folder when there is none
    except OSError as error:
        return f"there is no place to keep it ({error.strerror})"
    if cache.exists():
        return ""
    marker = Path(tempfile.gettempdir()) / f"newsgroups-not-downloadable-{os.getuid()}"
    try:
        if 0 <= time.time() - marker.stat().st_mtime < RETRY_AFTER_SECONDS:
            return "could not be downloaded a few minutes ago"
    except OSError:
        pass  # no download has failed lately
    problem = _download(cache)
    if problem:
        try:
            marker.touch()
        except OSError:
            pass  # the next trial will find out by itself
    return problem


def _download(cache: Path) -> str:
    """Download the posts into ``cache`` within the time allowed; say why not, when that fails."""
    start = time.monotonic()
    problem = "" if urllib.request.getproxies() else _connect_problem()
    if problem:
        return problem
    with tempfile.TemporaryDirectory() as folder:
        # A process of its own can be ended in time, whatever it waits for.
        fetch = f"from sklearn.datasets import fetch_20newsgroups; fetch_20newsgroups(data_home={folder!r})"
        try:
            seconds_left = DOWNLOAD_SECONDS_MAX - (time.monotonic() - start)
            subprocess.run([sys.executable, "-c", fetch], timeout=seconds_left, check=True, capture_output=True)
            # Moved in one step, beside other trials that may be doing the same.
            whole = cache.with_name(f"{_CACHE_FILE}.{os.getpid()}")
            whole.write_bytes((Path(folder) / _CACHE_FILE).read_bytes())
            whole.replace(cache)
        except subprocess.TimeoutExpired:
            return f"could not be downloaded within {DOWNLOAD_SECONDS_MAX:.0f} seconds"
        except (subprocess.CalledProcessError, OSError):
            return "could not be downloaded"
    return ""


def _connect_problem() -> str:
    """Whether the download's host can be reached at all, found out in a thread because looking up names may hang."""
    problems = ["could not be downloaded (its host does not answer)"]

    def connect() -> None:
        try:
            socket.create_connection(_DOWNLOAD_HOST, timeout=CONNECT_SECONDS_MAX).close()
            problems[0] = ""
        except OSError as error:
            problems[0] = f"could not be downloaded ({error.strerror or error})"

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(CONNECT_SECONDS_MAX)
    return problems[0]


# ---- generated posts -------------------------------------------------------------------------------------------------

_VOCABULARY = 24_000
_TOPIC_WORDS = 240
_SEED = 20


def _generate(subset: str) -> tuple[list[str], np.ndarray]:
    """Posts of made-up words: a common Zipf vocabulary, and for each class a topic that overlaps with the others'.

    As in the real groups, the two on religion share much of their topic, the two technical ones a little; and some
    posts talk of another group's topic. All of it follows from one seed.
    """
    words, topics = _words_and_topics()
    random = np.random.default_rng([_SEED, 0 if subset == "train" else 1])
    classes = np.repeat(np.arange(len(CATEGORIES)), CLASS_COUNTS[subset])
    random.shuffle(classes)
    count = len(classes)

    lengths = np.clip(random.lognormal(5.2, 0.8, count), 12, 2_000).astype(int)
    owner = np.repeat(np.arange(count), lengths)
    strays = random.random(count) < 0.06
    talked_of = np.where(strays, random.integers(0, len(CATEGORIES), count), classes)
    on_topic_share = random.beta(1.5, 14.0, count)

    background = np.searchsorted(_zipf_cumulative(_VOCABULARY, 1.05), random.random(len(owner)))
    rank = np.searchsorted(_zipf_cumulative(_TOPIC_WORDS, 0.6), random.random(len(owner)))
    is_on_topic = random.random(len(owner)) < on_topic_share[owner]
    chosen = np.where(is_on_topic, topics[talked_of[owner], rank], background)
    ends = np.cumsum(lengths)
    texts = [" ".join(part) for part in np.split(words[chosen], ends[:-1])]
    return texts, classes


def _words_and_topics() -> tuple[np.ndarray, np.ndarray]:
    """The vocabulary, and the word numbers of each class's topic in order of their frequency in it."""
    random = np.random.default_rng(_SEED)
    syllables = [first + second for first in "bdfgklmnprst" for second in "aeiou"]
    numbers = random.permutation(len(syllables) ** 3)[:_VOCABULARY]
    words = np.array([_spell(int(number), syllables) for number in numbers], dtype=object)

    shared_with_sibling = {0: 0.65, 1: 0.25, 2: 0.25, 3: 0.65}
    siblings = {0: "religion", 3: "religion", 1: "technology", 2: "technology"}
    # Topic words come from the rarer part of the vocabulary; stop words tell nothing.
    pool = iter(random.permutation(np.arange(200, _VOCABULARY)))
    common = {name: [next(pool) for _ in range(_TOPIC_WORDS)] for name in ("religion", "technology")}
    topics = []
    for group in range(len(CATEGORIES)):
        from_sibling = int(_TOPIC_WORDS * shared_with_sibling[group])
        own = [next(pool) for _ in range(_TOPIC_WORDS - from_sibling)]
        topics.append(random.permutation(common[siblings[group]][:from_sibling] + own))
    return words, np.array(topics)


def _spell(number: int, syllables: list[str]) -> str:
    base = len(syllables)
    return syllables[number % base] + syllables[number // base % base] + syllables[number // base**2]


def _zipf_cumulative(count: int, exponent: float) -> np.ndarray:
    weights = np.arange(1, count + 1, dtype=float) ** -exponent
    cumulative = np.cumsum(weights)
    return cumulative / cumulative[-1]
