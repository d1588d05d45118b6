from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sublight.node.shipping import ShippedFile, ShippedJournal, ShippedLog


def ship(file: ShippedFile, bytes_max: int, *, is_closed: bool) -> bytes:
    """Ship all there is, as a server that stores everything would get it."""
    data = b""
    while chunk := file.next_bytes(bytes_max, is_closed=is_closed):
        assert chunk.offset == file.offset
        assert len(chunk.data) <= bytes_max or isinstance(file, ShippedJournal)
        data += chunk.data
        file.offset += len(chunk.data)
    return data


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "file"


def test_only_whole_lines_of_a_journal_are_shipped_while_the_script_runs(place):
    journal = ShippedJournal(place, "journal")
    place.write_bytes(b"one\ntwo\nthr")

    assert ship(journal, 100, is_closed=False) == b"one\ntwo\n"
    assert not journal.has_news(is_closed=False)

    place.write_bytes(b"one\ntwo\nthree\n")
    assert journal.has_news(is_closed=False)
    assert ship(journal, 100, is_closed=False) == b"three\n"


def test_the_torn_last_line_of_a_journal_is_shipped_at_the_end(place):
    journal = ShippedJournal(place, "journal")
    place.write_bytes(b"one\ntw")
    ship(journal, 100, is_closed=False)

    assert journal.has_news(is_closed=True)
    assert ship(journal, 100, is_closed=True) == b"tw"


def test_a_line_longer_than_a_chunk_is_shipped_whole(place):
    journal = ShippedJournal(place, "journal")
    place.write_bytes(b"x" * 50 + b"\nshort\n")

    chunk = journal.next_bytes(10, is_closed=False)

    assert chunk is not None
    assert chunk.data == b"x" * 50 + b"\n"


def test_a_line_that_no_record_can_be_ends_the_journal_with_a_sentence_and_does_not_hang(place):
    journal = ShippedJournal(place, "journal", line_bytes_max=100)
    place.write_bytes(b"good\n" + b"x" * 500 + b"\nmore\n")

    assert ship(journal, 10, is_closed=True) == b"good\n"
    assert "a line of more than 100 bytes" in journal.trouble
    assert not journal.has_news(is_closed=True)


def test_a_journal_that_is_not_there_yet_has_no_news(place):
    journal = ShippedJournal(place, "journal")

    assert not journal.has_news(is_closed=False)
    assert journal.next_bytes(10, is_closed=True) is None


def test_the_next_bytes_start_where_the_server_is(place):
    log = ShippedLog(place, "log")
    place.write_bytes(b"0123456789")
    log.offset = 8
    assert ship(log, 100, is_closed=False) == b"89"

    log.offset = 4
    assert ship(log, 100, is_closed=False) == b"456789"


def test_a_long_log_keeps_head_and_tail_and_says_what_is_missing(place):
    log = ShippedLog(place, "log", head_bytes=10, tail_bytes=5)
    place.write_bytes(b"h" * 10 + b"m" * 20)

    running = ship(log, 7, is_closed=False)
    assert running.startswith(b"h" * 10 + b"\n[sublight: this log is longer than 10 bytes")
    assert not log.has_news(is_closed=False)

    place.write_bytes(b"h" * 10 + b"m" * 85 + b"tail!")
    closed = ship(log, 7, is_closed=True)
    assert closed == b"[sublight: 85 bytes are left out here]\ntail!"


def test_a_log_that_is_only_a_little_too_long_loses_nothing(place):
    log = ShippedLog(place, "log", head_bytes=10, tail_bytes=5)
    place.write_bytes(b"h" * 10 + b"end")

    assert ship(log, 100, is_closed=True).endswith(b"[sublight: 0 bytes are left out here]\nend")


def test_links_and_pipes_are_not_read(place, tmp_path):
    (tmp_path / "secret").write_text("secret")
    place.symlink_to(tmp_path / "secret")

    assert ShippedLog(place, "log").next_bytes(100, is_closed=True) is None


ANEW = b"\n[sublight: the script began this file anew here]\n"


def test_a_log_that_is_written_anew_stands_behind_what_was_there_before(place):
    log = ShippedLog(place, "log")
    place.write_bytes(b"0123456789")
    shipped = ship(log, 7, is_closed=False)
    place.write_bytes(b"new")
    shipped += ship(log, 7, is_closed=False)
    place.write_bytes(b"!")

    shipped += ship(log, 7, is_closed=True)

    assert shipped == b"0123456789" + ANEW + b"new" + ANEW + b"!"


def test_a_longer_log_of_another_beginning_was_written_anew(place):
    log = ShippedLog(place, "log")
    place.write_bytes(b"epoch 1\n")
    shipped = ship(log, 100, is_closed=False) + ship(log, 100, is_closed=False)
    with open(place, "ab") as file:
        file.write(b"loss 3\n")
    shipped += ship(log, 100, is_closed=False)
    place.write_bytes(b"epoch 2\nloss 2 and more\n")

    shipped += ship(log, 100, is_closed=False)

    assert shipped == b"epoch 1\nloss 3\n" + ANEW + b"epoch 2\nloss 2 and more\n"


def test_a_rotated_log_is_shipped_whole(place, tmp_path):
    log, rotated = ShippedLog(place, "log"), ShippedLog(tmp_path / "file.1", "log.1")
    place.write_bytes(b"first file\n")
    shipped = ship(log, 100, is_closed=False)
    with open(place, "ab") as file:
        file.write(b"its end\n")
    place.rename(tmp_path / "file.1")
    place.write_bytes(b"the second file is longer than the first\n")

    shipped += ship(log, 5, is_closed=True)

    assert shipped == b"first file\n" + ANEW + b"the second file is longer than the first\n"
    assert ship(rotated, 100, is_closed=True) == b"first file\nits end\n"


@pytest.mark.parametrize("is_removed", [True, False])
def test_a_log_that_is_removed_or_emptied_leaves_what_was_shipped(place, is_removed):
    log = ShippedLog(place, "log")
    place.write_bytes(b"0123456789")
    ship(log, 100, is_closed=False)
    place.unlink() if is_removed else place.write_bytes(b"")

    assert not log.has_news(is_closed=True)
    assert log.length(is_closed=True) == 10
    place.write_bytes(b"0123456789 and more")
    assert ship(log, 100, is_closed=True) == ANEW + b"0123456789 and more"


def test_a_long_log_that_is_written_anew_again_and_again_stays_bounded(place):
    log = ShippedLog(place, "log", head_bytes=20, tail_bytes=5)
    shipped = b""
    for number in range(50):
        place.write_bytes(b"%02d" % number + b"x" * (30 - number % 3))
        shipped += ship(log, 100, is_closed=False)

    shipped += ship(log, 100, is_closed=True)

    assert shipped.startswith(b"00" + b"x" * 18)
    assert shipped.endswith(b"bytes are left out here]\nxxxxx")
    assert len(shipped) < 500


def test_bytes_that_stood_here_before_are_empty_lines_when_the_server_lost_them(place):
    log = ShippedLog(place, "log")
    place.write_bytes(b"before")
    ship(log, 100, is_closed=False)
    place.write_bytes(b"now")
    ship(log, 100, is_closed=False)

    log.offset = 2

    assert ship(log, 100, is_closed=True) == b"\n" * 4 + ANEW + b"now"


@given(
    pieces=st.lists(st.binary(max_size=30).map(lambda data: data + b"\n"), max_size=8),
    rest=st.binary(max_size=10),
    bytes_max=st.integers(1, 40),
)
def test_however_a_journal_grows_its_bytes_arrive_once_and_in_order(tmp_path_factory, pieces, rest, bytes_max):
    place = tmp_path_factory.mktemp("journal") / "journal"
    journal = ShippedJournal(place, "journal")
    shipped = b""
    for piece in pieces:
        with open(place, "ab") as file:
            file.write(piece[: len(piece) // 2])
            file.flush()
            shipped += ship(journal, bytes_max, is_closed=False)
            assert shipped == b"" or shipped.endswith(b"\n")
            file.write(piece[len(piece) // 2 :])
        shipped += ship(journal, bytes_max, is_closed=False)
    with open(place, "ab") as file:
        file.write(rest)
    shipped += ship(journal, bytes_max, is_closed=True)

    assert shipped == b"".join(pieces) + rest


@given(
    pieces=st.lists(st.sampled_from([b"abcab", b"abc", b"ab", b"a", b"xyz\n", b"cab"]), max_size=12),
    bytes_max=st.integers(6, 20),
    cut=st.integers(0, 60),
)
def test_a_secret_never_leaves_the_node_wherever_it_lies(tmp_path_factory, pieces, bytes_max, cut):
    place = tmp_path_factory.mktemp("log") / "file"
    text = b"".join(pieces)
    log = ShippedLog(place, "log", secret="abcab")
    place.write_bytes(text[:cut])
    shipped = ship(log, bytes_max, is_closed=False)
    with open(place, "ab") as file:
        file.write(text[cut:])

    shipped += ship(log, bytes_max, is_closed=True)

    assert b"abcab" not in shipped
    assert len(shipped) == len(text)
    assert shipped.replace(b"*", b"") in text or b"*" in shipped
