from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import BinaryIO

import pytest

from sublight.core.errors import InvalidInput, ServerUnavailable
from sublight.node.outputs import Uploads


class Server:
    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}
        self.puts = 0
        self.refused: set[str] = set()
        self.is_away_after = 1000

    def put(self, path: str, sha256: str, size_bytes: int, body: BinaryIO) -> None:
        if self.puts >= self.is_away_after:
            raise ServerUnavailable("away")
        self.puts += 1
        if path in self.refused:
            raise InvalidInput("it is not wanted")
        self.stored[path] = body.read()
        assert len(self.stored[path]) == size_bytes


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "work" / "outputs").mkdir(parents=True)
    (tmp_path / "uploads").mkdir()
    return tmp_path


@pytest.fixture
def server() -> Server:
    return Server()


def send_remaining(uploads: Uploads, server: Server) -> None:
    uploads.send(uploads.remaining(), server.put, lambda: False)


def test_outputs_keep_their_folder_and_staged_files_have_their_own_names(run, server):
    (run / "work/outputs/deep").mkdir()
    (run / "work/outputs/deep/model.bin").write_bytes(b"m")
    (run / "uploads/images").mkdir()
    (run / "uploads/images/a.png").write_bytes(b"p")
    (run / "work/other.txt").write_bytes(b"stays")

    send_remaining(Uploads(run), server)

    assert server.stored == {"outputs/deep/model.bin": b"m", "images/a.png": b"p"}


def test_a_large_file_arrives_whole(run, server):
    content = os.urandom(2_500_000)
    (run / "work/outputs/model.bin").write_bytes(content)

    send_remaining(Uploads(run), server)

    assert server.stored["outputs/model.bin"] == content


def test_what_is_no_plain_file_is_named_and_not_followed(run, server):
    (run / "secret").write_text("s")
    (run / "work/outputs/link").symlink_to(run / "secret")
    (run / "work/outputs/folder").symlink_to(run)
    os.mkfifo(run / "work/outputs/pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(run / "work/outputs/sock"))
    uploads = Uploads(run)

    send_remaining(uploads, server)
    send_remaining(uploads, server)

    assert server.stored == {}
    assert [note.partition(",")[0] for note in uploads.notes] == [
        "'outputs/folder' is a link",
        "'outputs/link' is a link",
        "'outputs/pipe' is a named pipe",
        "'outputs/sock' is a socket",
    ]


def test_an_outputs_folder_that_was_replaced_by_a_link_is_not_followed(run, server):
    (run / "elsewhere").mkdir()
    (run / "elsewhere/secret").write_text("s")
    (run / "work/outputs").rmdir()
    (run / "work/outputs").symlink_to(run / "elsewhere")
    uploads = Uploads(run)

    send_remaining(uploads, server)

    assert server.stored == {}
    assert "is a link, which is not followed" in uploads.notes[0]


def test_names_that_cannot_travel_are_named(run, server):
    Path(os.fsdecode(bytes(run / "work/outputs") + b"/bad\xff")).write_bytes(b"x")
    (run / "work/outputs/line\nbreak").write_bytes(b"x")
    uploads = Uploads(run)

    send_remaining(uploads, server)

    assert server.stored == {}
    assert len(uploads.notes) == 2


def test_many_odd_things_make_few_notes(run, server):
    for number in range(100):
        (run / f"work/outputs/link{number}").symlink_to("nowhere")
    uploads = Uploads(run)

    send_remaining(uploads, server)

    assert len(uploads.notes) == 21
    assert uploads.notes[-1].startswith("80 more things")


def test_a_refused_file_is_noted_and_the_others_are_kept(run, server):
    (run / "work/outputs/a").write_bytes(b"a")
    (run / "work/outputs/b").write_bytes(b"b")
    server.refused = {"outputs/a"}
    uploads = Uploads(run)

    send_remaining(uploads, server)
    send_remaining(uploads, server)

    assert server.stored == {"outputs/b": b"b"}
    assert uploads.notes == ["outputs/a was not kept: it is not wanted"]


def test_after_a_lost_server_the_rest_is_sent_and_nothing_twice(run, server):
    for name in "abcd":
        (run / "work/outputs" / name).write_bytes(name.encode())
    server.is_away_after = 2
    uploads = Uploads(run)
    with pytest.raises(ServerUnavailable):
        send_remaining(uploads, server)

    server.is_away_after = 1000
    send_remaining(uploads, server)

    assert sorted(server.stored) == ["outputs/a", "outputs/b", "outputs/c", "outputs/d"]
    assert server.puts == 4


def test_a_staged_file_is_settled_when_two_looks_see_the_same(run, server):
    uploads = Uploads(run)
    file = run / "uploads/a.png"
    file.write_bytes(b"half")
    assert uploads.settled() == []

    file.write_bytes(b"half and the rest")
    assert uploads.settled() == []
    assert [found.path for found in uploads.settled()] == ["a.png"]


def test_a_staged_file_that_is_replaced_is_sent_again(run, server):
    uploads = Uploads(run)
    (run / "uploads/a.png").write_bytes(b"first")
    send_remaining(uploads, server)
    (run / "uploads/a.png").write_bytes(b"the second")
    send_remaining(uploads, server)
    send_remaining(uploads, server)

    assert server.stored == {"a.png": b"the second"}
    assert server.puts == 2


def test_empty_folders_need_no_walk(run):
    assert Uploads(run).is_nothing_there()

    (run / "work/outputs/a").write_bytes(b"")
    assert not Uploads(run).is_nothing_there()
