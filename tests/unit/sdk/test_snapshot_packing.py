"""A source folder becomes a snapshot: what goes along, what is refused, and what is sent."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sublight.core.errors import Conflict, InvalidInput, TooLarge
from sublight.core.snapshot import SnapshotLimits, check_files, snapshot_id
from sublight.messages.definitions import SnapshotRequest, SnapshotResponse
from sublight.sdk.snapshot import pack, upload
from tests.unit.sdk.fake_server import FakeServer, error


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for path, content in {
        "train.py": "print(1)",
        "data/big.csv": "1,2",
        "data/small.csv": "1",
        "pkg/__init__.py": "",
        "pkg/__pycache__/x.pyc": "cache",
        ".git/config": "secret",
        "outputs/old.pkl": "old",
        "pkg/outputs/kept.txt": "kept",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    return tmp_path


def paths(source: Path) -> list[str]:
    return [file.path for file in pack(source).files]


def test_everything_goes_along_but_caches_repositories_and_old_outputs(source: Path) -> None:
    assert paths(source) == [
        "data/big.csv",
        "data/small.csv",
        "pkg/__init__.py",
        "pkg/outputs/kept.txt",
        "train.py",
    ]


def test_gitignore_is_read_where_there_is_no_amlignore(source: Path) -> None:
    (source / ".gitignore").write_text("*.csv\n!small.csv\n")

    assert "data/big.csv" not in paths(source)
    assert "data/small.csv" in paths(source)


def test_amlignore_replaces_gitignore(source: Path) -> None:
    (source / ".gitignore").write_text("*.csv\n")
    (source / ".amlignore").write_text("pkg/\n")

    assert paths(source) == [".amlignore", ".gitignore", "data/big.csv", "data/small.csv", "train.py"]


def test_an_ignore_file_further_down_speaks_for_its_folder(source: Path) -> None:
    (source / ".gitignore").write_text("*.csv\n")
    (source / "data/.gitignore").write_text("!big.csv\n")

    assert "data/big.csv" in paths(source)
    assert "data/small.csv" not in paths(source)


def test_old_outputs_can_be_taken_back(source: Path) -> None:
    (source / ".amlignore").write_text("!/outputs/\n")

    assert "outputs/old.pkl" in paths(source)


def test_a_single_file_is_a_snapshot_of_one(source: Path) -> None:
    packed = pack(source / "train.py")

    assert [file.path for file in packed.files] == ["train.py"]
    assert packed.holds("train.py")


def test_the_executable_bit_is_kept(source: Path) -> None:
    (source / "run.sh").write_text("#!/bin/sh")
    (source / "run.sh").chmod(0o755)

    flags = {file.path: file.is_executable for file in pack(source).files}
    assert flags["run.sh"]
    assert not flags["train.py"]


def test_the_files_follow_the_rules_of_snapshots(source: Path) -> None:
    packed = pack(source)

    check_files(packed.files)
    assert snapshot_id(packed.files) == snapshot_id(pack(source).files)


@pytest.mark.parametrize("target", ["/etc/passwd", "train.py", "missing", "data"])
def test_a_link_is_refused_by_name(source: Path, target: str) -> None:
    (source / "link").symlink_to(target)

    with pytest.raises(InvalidInput, match=f"link is a link \\(to {target}\\).*copy what it points to"):
        pack(source)


def test_a_link_that_is_ignored_does_no_harm(source: Path) -> None:
    (source / "link").symlink_to("/etc/passwd")
    (source / ".amlignore").write_text("link\n")

    assert "link" not in paths(source)


def test_a_pipe_is_refused_and_never_opened(source: Path) -> None:
    os.mkfifo(source / "pipe")

    with pytest.raises(InvalidInput, match="pipe is no plain file"):
        pack(source)


def test_a_file_name_that_no_node_could_write_is_refused(source: Path) -> None:
    (source / "two\nlines").write_text("x")

    with pytest.raises(InvalidInput, match="control character"):
        pack(source)


def test_a_folder_in_which_everything_is_ignored_is_refused(source: Path) -> None:
    (source / ".amlignore").write_text("*\n")

    with pytest.raises(InvalidInput, match="holds no files"):
        pack(source)


def test_a_folder_over_the_limit_is_refused_before_anything_is_read(source: Path) -> None:
    with (source / "huge.bin").open("wb") as huge:
        huge.truncate(400_000_000)  # takes no room on the disk

    with pytest.raises(TooLarge, match=r"400 MB, and the limit is 300 MB; the largest files are huge.bin \(400 MB\)"):
        pack(source)


def test_too_many_files_are_refused(source: Path) -> None:
    with pytest.raises(TooLarge, match="5 files, and the limit is 4"):
        pack(source, limits=SnapshotLimits(files_max=4))


def test_only_missing_contents_are_sent_and_the_size_is_told(server: FakeServer, source: Path) -> None:
    packed = pack(source, shown="examples/newsgroups")
    train = next(file for file in packed.files if file.path == "train.py")
    server.on("POST", "/api/v1/snapshots", SnapshotResponse(id="snap", missing=[train.sha256]))
    server.on("PUT", f"/api/v1/blobs/{train.sha256}", None)
    notice = io.StringIO()

    assert upload(server.client(), packed, notice=notice) == "snap"
    assert notice.getvalue() == (
        "snapshot of examples/newsgroups: 5 files, 16 B (new: 1 file, 8 B), "
        "without outputs/, where runs leave their results\n"
    )
    assert [request.method for request in server.requests] == ["POST", "PUT"]
    assert server.requests[1].content == b"print(1)"
    sent = server.bodies("POST", "/api/v1/snapshots")[0]
    assert SnapshotRequest(files=list(packed.files)).files[0].path == sent["files"][0]["path"]


def test_a_file_that_changes_while_it_is_sent_is_named(server: FakeServer, source: Path) -> None:
    packed = pack(source / "train.py")
    sha256 = packed.files[0].sha256
    server.on("POST", "/api/v1/snapshots", SnapshotResponse(id="snap", missing=[sha256]))
    server.on("PUT", f"/api/v1/blobs/{sha256}", error(400, "invalid_input", "hash differs"))
    (source / "train.py").write_text("print(2)")

    with pytest.raises(Conflict, match=r"train\.py was changed while it was being sent; submit again"):
        upload(server.client(), packed, notice=io.StringIO())


def test_secrets_in_dot_env_stay_behind_unless_they_are_taken_back(source: Path) -> None:
    (source / ".env").write_text("TOKEN=secret")
    (source / "pkg" / ".env").write_text("TOKEN=secret")

    assert not [path for path in paths(source) if path.endswith(".env")]
    (source / ".amlignore").write_text("!.env\n")
    assert ".env" in paths(source)


def test_what_the_program_itself_prints_into_the_source_is_no_part_of_it(source: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from sublight.sdk.snapshot import pack; print(pack(Path('.')).paths)"
    )
    with (source / "out.log").open("w") as log:
        subprocess.run([sys.executable, "-c", program], cwd=source, stdout=log, check=True)

    printed = (source / "out.log").read_text()
    assert "train.py" in printed
    assert "out.log" not in printed
