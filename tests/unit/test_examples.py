"""The newsgroups example: its scripts run as they are, its data are found or made, its sweep file says what it should."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import runpy
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml

import sublight as sl

FOLDER = Path(__file__).parents[2] / "examples" / "newsgroups"
QUICK = ["--num_epochs", "2", "--hidden_size", "10", "--data_subset", "0.1", "--learning_rate", "0.01"]


def environment_without_data(folder: Path, **variables: str) -> dict[str, str]:
    """An environment in which the real posts are neither cached nor looked for on the network."""
    marker = folder / f"newsgroups-not-downloadable-{os.getuid()}"
    marker.touch()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SUBLIGHT_")}
    return {
        **inherited,
        "SCIKIT_LEARN_DATA": str(folder / "data"),
        "TMPDIR": str(folder),
        "PYTHONPATH": str(Path(sl.__file__).parents[1]),
        "OMP_NUM_THREADS": "1",
        **variables,
    }


def run_example(script: str, work: Path, environment: dict[str, str]) -> str:
    result = subprocess.run(
        [sys.executable, str(FOLDER / script), *QUICK],
        cwd=work,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


# ---- the training scripts --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_train_by_itself_says_where_its_data_come_from_and_prints_its_metrics(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")

    lines = run_example("train.py", tmp_path, environment_without_data(tmp_path)).splitlines()

    assert lines[0].startswith("20 newsgroups is not cached here and could not be downloaded")
    assert lines[0].endswith("this run uses generated posts of the same shape.")
    assert [line.partition(" = ")[0] for line in lines if "(step" in line] == ["accuracy", "loss"] * 2
    assert (tmp_path / "outputs/model.joblib").exists()


@pytest.mark.slow
def test_train_inside_a_run_reports_every_epoch_and_leaves_its_files(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    work = tmp_path / "work"
    work.mkdir()

    run_example("train.py", work, environment_without_data(tmp_path, SUBLIGHT_RUN_DIRECTORY=str(tmp_path)))

    lines = (tmp_path / "journal").read_text().splitlines()
    steps = [line.split("\t")[2] for line in lines if line.startswith("m\taccuracy\t")]
    kinds = [json.loads(line[2:])["kind"] for line in lines if line.startswith("r\t")]
    has_matplotlib = importlib.util.find_spec("matplotlib") is not None
    assert steps == ["1", "2"]
    assert kinds == ["tag", "confusion_matrix", *(["artifact", "image"] if has_matplotlib else []), "artifact"]
    assert "sci.space" in (tmp_path / "uploads/reports/classification.txt").read_text()
    assert not has_matplotlib or (tmp_path / "uploads/images/confusion.png").read_bytes()[1:4] == b"PNG"


@pytest.mark.slow
def test_traindeep_reports_every_epoch(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is needed for this example only")

    lines = run_example("traindeep.py", tmp_path, environment_without_data(tmp_path)).splitlines()

    assert [line.partition(" = ")[0] for line in lines if "(step" in line] == ["accuracy", "loss"] * 2


# ---- the data --------------------------------------------------------------------------------------------------------


@pytest.fixture
def newsgroups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The example's module, with an empty cache and a folder of its own for temporary files."""
    pytest.importorskip("sklearn")
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "data"))
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    module = importlib.import_module("newsgroups")
    monkeypatch.setattr(module.tempfile, "gettempdir", lambda: str(tmp_path))
    return module


def refuse_connections(newsgroups: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Let every connection be refused at once; returns the list of attempts."""
    attempts: list[object] = []

    def create_connection(address: object, timeout: float) -> None:
        attempts.append(address)
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(newsgroups, "socket", SimpleNamespace(create_connection=create_connection))
    return attempts


def test_generated_posts_have_the_shape_of_the_real_ones_and_are_always_the_same(
    newsgroups: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_connections(newsgroups, monkeypatch)

    posts, again = newsgroups.load_posts(), newsgroups.load_posts()

    assert (len(posts.train_texts), len(posts.test_texts)) == (2034, 1353)
    assert [int((posts.train_classes == group).sum()) for group in range(4)] == [480, 584, 593, 377]
    assert [int((posts.test_classes == group).sum()) for group in range(4)] == [319, 389, 394, 251]
    assert posts.origin == "generated"
    assert posts.train_texts == again.train_texts
    assert posts.train_texts[:50] != posts.test_texts[:50]


def test_a_share_of_the_posts_is_their_beginning(newsgroups: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_connections(newsgroups, monkeypatch)

    whole, half = newsgroups.load_posts(), newsgroups.load_posts(share=0.5)

    assert len(half.train_texts) == len(half.train_classes) == 1017
    assert half.train_texts == whole.train_texts[:1017]


def test_generated_posts_can_be_learned_but_not_perfectly(
    newsgroups: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_connections(newsgroups, monkeypatch)
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import RidgeClassifier

    posts = newsgroups.load_posts()
    vectorizer = TfidfVectorizer(sublinear_tf=True)
    model = RidgeClassifier(solver="sparse_cg").fit(vectorizer.fit_transform(posts.train_texts), posts.train_classes)

    assert 0.7 < model.score(vectorizer.transform(posts.test_texts), posts.test_classes) < 0.95


def test_after_a_failed_download_the_next_trials_do_not_try_again(
    newsgroups: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    attempts = refuse_connections(newsgroups, monkeypatch)

    for _ in range(3):
        newsgroups.load_posts()

    assert len(attempts) == 1
    first, second, _ = capsys.readouterr().out.splitlines()
    assert "could not be downloaded (Connection refused)" in first
    assert "could not be downloaded a few minutes ago" in second


def test_a_failed_download_is_forgotten_after_some_minutes(
    newsgroups: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    attempts = refuse_connections(newsgroups, monkeypatch)
    newsgroups.load_posts()
    marker = next(tmp_path.glob("newsgroups-not-downloadable-*"))

    long_ago = time.time() - newsgroups.RETRY_AFTER_SECONDS - 1
    os.utime(marker, (long_ago, long_ago))
    newsgroups.load_posts()

    assert len(attempts) == 2


def a_python(tmp_path: Path, code: str) -> str:
    """A stand-in for the interpreter that downloads; it gets ``-c`` and the code, which names its folder."""
    script = tmp_path / "python"
    script.write_text(f'#!{sys.executable}\nimport sys\nfolder = sys.argv[2].split("\'")[1]\n{code}\n')
    script.chmod(0o755)
    return str(script)


def test_a_download_that_hangs_is_ended(
    newsgroups: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(newsgroups, "_connect_problem", lambda: "")
    monkeypatch.setattr(newsgroups, "DOWNLOAD_SECONDS_MAX", 0.2)
    monkeypatch.setattr(newsgroups.sys, "executable", a_python(tmp_path, "import time; time.sleep(600)"))

    assert newsgroups._fetch_problem() == "could not be downloaded within 0 seconds"


def test_a_connection_that_hangs_is_not_waited_for(newsgroups: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newsgroups, "CONNECT_SECONDS_MAX", 0.05)
    is_over = threading.Event()

    def hang(*_: object, **__: object) -> None:
        is_over.wait(60)
        raise TimeoutError

    monkeypatch.setattr(newsgroups, "socket", SimpleNamespace(create_connection=hang))

    problem = newsgroups._connect_problem()
    is_over.set()

    assert problem == "could not be downloaded (its host does not answer)"


def test_a_download_ends_up_in_the_cache(
    newsgroups: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(newsgroups, "_connect_problem", lambda: "")
    code = "open(folder + '/20news-bydate_py3.pkz', 'w').write('posts')"
    monkeypatch.setattr(newsgroups.sys, "executable", a_python(tmp_path, code))

    assert newsgroups._fetch_problem() == ""
    assert (tmp_path / "data/20news-bydate_py3.pkz").read_text() == "posts"
    assert newsgroups._fetch_problem() == ""


# ---- the sweep -------------------------------------------------------------------------------------------------------


def test_the_sweep_file_tunes_exactly_what_the_script_takes() -> None:
    sweep = yaml.safe_load((FOLDER / "sweep.yml").read_text())
    source = (FOLDER / "train.py").read_text()

    names = list(sweep["search_space"])
    assert sweep["type"] == "sweep"
    for name in [*names, *sweep["inputs"]]:
        assert f'"--{name}"' in source
        assert f"--{name} ${{{{{'search_space' if name in names else 'inputs'}.{name}}}}}" in sweep["trial"]["command"]
    assert f'run.log("{sweep["objective"]["primary_metric"]}"' in source
    # The bounds of loguniform are exponents in this format.
    assert (sweep["search_space"]["learning_rate"]["min_value"], sweep["limits"]["max_total_trials"]) == (-11.5, 24)


def ignore(**_: object) -> None:
    """Nothing to wait for."""


class FakeClusters(dict[str, Any]):
    def create(self, name: str, **arguments: Any) -> Any:
        size = SimpleNamespace(name=arguments["size"])
        self[name] = SimpleNamespace(name=name, max_nodes=arguments["max_nodes"], size=size, state="ready", reason="")
        return self[name]


class FakeWorkspace:
    """As much of a workspace as the example's submit scripts use."""

    def __init__(self) -> None:
        self.clusters = FakeClusters()
        self.submitted: list[tuple[str, Any, str]] = []

    def from_config(self) -> FakeWorkspace:
        return self

    def experiment(self, name: str) -> SimpleNamespace:
        def submit(what: Any, on: str) -> SimpleNamespace:
            self.submitted.append((name, what, on))
            best = SimpleNamespace(id="sweep-1-3", best_value=0.9, arguments=["--learning_rate", "0.01"])
            return SimpleNamespace(id="sweep-1", wait=ignore, status="completed", reason="all trials ended", best=best)

        return SimpleNamespace(submit=submit)


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch) -> FakeWorkspace:
    fake = FakeWorkspace()
    monkeypatch.setattr(sl, "Workspace", fake, raising=False)
    return fake


def run_as_program(script: str, *arguments: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    runpy.run_path(str(FOLDER / script), run_name="__main__")


@pytest.mark.parametrize(
    ("script", "name", "size"),
    [
        ("create_cpu_compute.py", "hypercomputecpu", "STANDARD_D3_V2"),
        ("create_gpu_compute.py", "hypercomputegpu", "STANDARD_NC6"),
    ],
)
def test_a_cluster_is_created_once_and_found_from_then_on(
    script: str,
    name: str,
    size: str,
    workspace: FakeWorkspace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run_as_program(script, monkeypatch=monkeypatch)
    run_as_program(script, monkeypatch=monkeypatch)

    assert [cluster.size.name for cluster in workspace.clusters.values()] == [size]
    out = capsys.readouterr().out
    assert f"Created the cluster {name}" in out
    assert f"Found the cluster {name}" in out


def test_the_submit_script_sends_the_sweep_from_whatever_folder_it_is_started_in(
    workspace: FakeWorkspace,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)

    run_as_program("train_hyper_submit.py", "--max-trials", "24", "--on", "local", monkeypatch=monkeypatch)

    ((experiment, sweep, target),) = workspace.submitted
    assert (experiment, target) == ("newsgroups_train_hypertune_cpu", "local")
    assert (sweep.max_trials, sweep.max_concurrent, sweep.goal) == (24, 4, sl.maximize("accuracy"))
    assert Path(sweep.script.source) == FOLDER
    assert "Best trial: sweep-1-3, accuracy 0.9000" in capsys.readouterr().out


# -- the demo -----------------------------------------------------------------------------------------------------------


def demo_progress(**changes: Any) -> SimpleNamespace:
    return SimpleNamespace(**{"trials_created": 24, "trials_stopped_early": 5, "best": object(), **changes})


@pytest.mark.parametrize(
    ("status", "progress", "nodes", "portal", "missing"),
    [
        ("completed", demo_progress(), 4, True, []),
        ("completed", demo_progress(), 5, True, []),  # a node was replaced
        ("failed", demo_progress(), 4, True, ["the sweep completes"]),
        ("completed", demo_progress(trials_created=3), 4, True, ["all 24 trials run"]),
        ("completed", demo_progress(), 3, True, ["the cluster grows to 4 nodes"]),
        ("completed", demo_progress(trials_stopped_early=0), 4, True, ["the policy ends some trials early"]),
        ("completed", demo_progress(best=None), 4, True, ["there is a best run"]),
        ("completed", demo_progress(), 4, False, ["the portal answers"]),
    ],
)
def test_the_demo_fails_for_each_promise_that_was_not_kept(
    monkeypatch: pytest.MonkeyPatch,
    status: str,
    progress: SimpleNamespace,
    nodes: int,
    portal: bool,
    missing: list[str],
) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    demo = runpy.run_path(str(FOLDER / "demo.py"))
    run = SimpleNamespace(status=status, reason="why", progress=progress)

    found = demo["unkept_promises"](run, nodes_count=nodes, is_portal_answering=portal)

    assert [sentence.partition(",")[0] for sentence in found] == missing
