"""Job files of Azure ML v2 mean the same here, and nothing in them is ignored."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from sublight.core.errors import InvalidInput, NotSupported
from sublight.core.metric import maximize
from sublight.core.policies import Bandit, MedianStopping, TruncationSelection
from sublight.core.samplers import Bayesian, Grid, Random, Sobol
from sublight.core.search_space import SearchSpace
from sublight.sdk.script import Script
from sublight.sdk.snapshot import pack
from sublight.sdk.sweep import Sweep
from sublight.sdk.sweep_file import read_job

SWEEP = """\
$schema: https://example.org/sweepJob.schema.json
type: sweep
experiment_name: iris
display_name: first try
description: a search
tags: {team: red, year: 2026}
trial:
  command: >-
    python hello.py --data ${{inputs.data}} --kernel ${{inputs.kernel}} --C ${{search_space.c_value}}
  code: ./src
  environment: current
  environment_variables: {LEVEL: 3}
  resources: {instance_count: 1}
inputs:
  data: {type: uri_folder, path: ./data, mode: ro_mount}
  kernel: linear
compute: azureml:cpu-cluster
sampling_algorithm: random
search_space:
  c_value:
    type: uniform
    min_value: 0.5
    max_value: 0.9
objective:
  goal: maximize
  primary_metric: accuracy
limits:
  max_total_trials: 4
  max_concurrent_trials: 2
  timeout: 7200
  trial_timeout: 60
early_termination:
  type: bandit
  slack_factor: 0.1
  evaluation_interval: 1
  delay_evaluation: 5
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "iris" / "src").mkdir(parents=True)
    (tmp_path / "iris" / "src" / "hello.py").write_text("")
    return tmp_path / "iris"


def write(folder: Path, text: str) -> Path:
    file = folder / "sweep.yml"
    file.write_text(text)
    return file


def sweep_of(folder: Path, text: str) -> Sweep:
    what = read_job(write(folder, text)).what
    assert isinstance(what, Sweep)
    return what


def test_a_sweep_job_is_read_whole(folder: Path) -> None:
    job = read_job(write(folder, SWEEP))
    message = job.what.definition("snap")

    assert (job.experiment, job.target, job.name) == ("iris", "cpu-cluster", "first try")
    assert job.tags == {"team": "red", "year": "2026"}
    assert job.properties == {"description": "a search"}
    assert isinstance(job.what, Sweep)
    assert job.what.goal == maximize("accuracy")
    assert job.what.policy == Bandit(slack_factor=0.1, delay_evaluation=5)
    assert isinstance(job.what.sampler, Random)
    assert (job.what.max_trials, job.what.max_concurrent, job.what.max_minutes) == (4, 2, 120.0)
    trial = message.trial  # type: ignore[union-attr]
    assert trial.command == (
        "python hello.py --data ${{inputs.data}} --kernel ${{inputs.kernel}} --C ${{search_space.c_value}}"
    )
    assert trial.inputs == {"data": str(folder / "data"), "kernel": "linear"}
    assert trial.environment_variables == {"LEVEL": "3"}
    assert trial.max_run_seconds == 60.0
    assert job.what.script.source == folder / "src"


def test_a_command_job_is_a_single_script(folder: Path) -> None:
    text = "type: command\ncommand: python hello.py\ncode: src\nlimits: {timeout: 5}\nsublight: {retries_max: 0}\n"
    job = read_job(write(folder, text))

    assert isinstance(job.what, Script)
    assert (job.what.command, job.what.max_run_seconds, job.what.retries_max) == ("python hello.py", 5.0, 0)
    assert (job.experiment, job.target) == ("iris", None)


def with_space(text: str) -> str:
    old = SWEEP[SWEEP.index("  c_value:\n") : SWEEP.index("objective:")]
    names = [name for name in ("kind", "depth", "eta") if f"{name}: " in text] or ["x"]
    uses = " ".join(f"${{{{search_space.{name}}}}}" for name in names)
    return SWEEP.replace(old, text).replace(" --C ${{search_space.c_value}}", f" {uses}")


@pytest.mark.parametrize(
    ("declared", "meant"),
    [
        ("{type: choice, values: [1, 2.5, text, true]}", {"type": "choice", "values": [1, 2.5, "text", True]}),
        ("[1e-3, 1.0]", {"type": "choice", "values": [0.001, 1.0]}),
        ("{type: randint, upper: 8}", {"type": "randint", "upper": 8}),
        ("{type: uniform, min_value: 0, max_value: 1e-2}", {"type": "uniform", "min_value": 0, "max_value": 0.01}),
        (
            "{type: quniform, min_value: 1, max_value: 9, q: 2}",
            {"type": "quniform", "min_value": 1, "max_value": 9, "q": 2},
        ),
        (
            "{type: loguniform, min_value: -6, max_value: 0}",
            {"type": "loguniform", "min_value": math.exp(-6), "max_value": 1.0},
        ),
        (
            "{type: qloguniform, min_value: 0, max_value: 5, q: 1}",
            {"type": "qloguniform", "min_value": 1.0, "max_value": math.exp(5), "q": 1},
        ),
        ("{type: normal, mu: 0, sigma: 1}", {"type": "normal", "mu": 0, "sigma": 1}),
        ("{type: qnormal, mu: 0, sigma: 1, q: 1}", {"type": "qnormal", "mu": 0, "sigma": 1, "q": 1}),
        ("{type: lognormal, mu: 0, sigma: 1}", {"type": "lognormal", "mu": 0, "sigma": 1}),
        ("{type: qlognormal, mu: 0, sigma: 1, q: 1}", {"type": "qlognormal", "mu": 0, "sigma": 1, "q": 1}),
        (
            "{type: choice, values: [{kind: tree, depth: {type: randint, upper: 8}}, {kind: linear}]}",
            {
                "type": "choice",
                "values": [{"kind": "tree", "depth": {"type": "randint", "upper": 8}}, {"kind": "linear"}],
            },
        ),
        (
            "{type: choice, values: [{kind: tree, eta: {type: loguniform, min_value: -6, max_value: 0}}]}",
            {
                "type": "choice",
                "values": [
                    {"kind": "tree", "eta": {"type": "loguniform", "min_value": math.exp(-6), "max_value": 1.0}}
                ],
            },
        ),
    ],
)
def test_every_distribution_is_read_and_exponents_become_values(folder: Path, declared: str, meant: object) -> None:
    assert sweep_of(folder, with_space(f"  x: {declared}\n")).space == SearchSpace.from_json({"x": meant})


@pytest.mark.parametrize(
    ("algorithm", "more", "sampler"),
    [
        ("grid", "", Grid()),
        ("{type: random, seed: 7}", "", Random(seed=7)),
        ("{type: random, seed: 7, logbase: e}", "", Random(seed=7)),
        ("{type: random, rule: sobol, seed: 7}", "", Sobol(seed=7)),
        ("bayesian", "sublight: {seed: 7}\n", Bayesian(seed=7)),
        ("{type: bayesian}", "sublight: {seed: 7, method: tpe}\n", Bayesian(seed=7, method="tpe")),
    ],
)
def test_every_algorithm_is_read(folder: Path, algorithm: str, more: str, sampler: object) -> None:
    text = with_space("  x: [1, 2]\n").replace("sampling_algorithm: random", f"sampling_algorithm: {algorithm}") + more

    assert sweep_of(folder, text).sampler == sampler


@pytest.mark.parametrize(
    ("declared", "policy"),
    [
        ("{type: bandit, slack_amount: 0.2}", Bandit(slack_amount=0.2)),
        ("{type: median_stopping, delay_evaluation: 5}", MedianStopping(delay_evaluation=5)),
        ("{type: truncation_selection, truncation_percentage: 20}", TruncationSelection(truncation_percentage=20)),
    ],
)
def test_every_policy_is_read(folder: Path, declared: str, policy: object) -> None:
    text = SWEEP[: SWEEP.index("early_termination:")] + f"early_termination: {declared}\n"

    assert sweep_of(folder, text).policy == policy


def test_a_file_without_policy_and_limits_means_what_it_does_there(folder: Path) -> None:
    text = SWEEP[: SWEEP.index("limits:")]

    sweep = sweep_of(folder, text)

    assert sweep.policy.to_json() == {"type": "no_termination"}
    assert (sweep.max_trials, sweep.max_concurrent, sweep.max_minutes) == (1000, None, None)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("tags:", "tagz:", r"sweep.yml, line 6 \(tagz\): 'tagz' is not known in a job file; did you mean 'tags'\?"),
        ("  code:", "  coed:", r"line 10 \(trial.coed\): 'coed' is not known here; did you mean 'code'\?"),
        ("max_total_trials", "max_trials", r"line 28 \(limits.max_trials\).*did you mean 'max_total_trials'"),
        ("    max_value: 0.9", "    max: 0.9", r"line 23 \(search_space.c_value.max\): 'max' is not known here"),
        ("    max_value: 0.9\n", "", r"line 20 \(search_space.c_value\): uniform needs 'max_value'"),
        ("min_value: 0.5", "min_value: 5", r"line 20 \(search_space.c_value\).*min_value below its max_value, got 5"),
        ("type: uniform", "type: unifrom", r"'unifrom' is no distribution; did you mean 'uniform'\?"),
        ("goal: maximize", "goal: max", r"line 25 \(objective.goal\): the goal is maximize or minimize, got 'max'"),
        ("  primary_metric: accuracy\n", "", r"line 24 \(objective\): 'primary_metric' is missing"),
        ("slack_factor: 0.1", "slack: 0.1", r"line 34 \(early_termination.slack\): 'slack' is not known here"),
        ("  slack_factor: 0.1\n", "", r"\(early_termination\): the bandit policy needs exactly one of"),
        ("type: bandit", "type: bandits", r"'bandits' is no policy; did you mean 'bandit'\?"),
        ("algorithm: random", "algorithm: randum", r"line 18 \(sampling_algorithm\): 'randum' is no algorithm; did"),
        ("algorithm: random", "algorithm: grid", "sweep.yml: .*grid"),
        ("max_total_trials: 4", "max_total_trials: 4.5", r"max_total_trials\): expected a whole number, got 4.5"),
        ("max_total_trials: 4", "max_total_trials: 0", "sweep.yml: max_trials must be a whole number of 1 or more"),
        ("timeout: 7200", "timeout: soon", r"limits.timeout\): expected a number, got the text 'soon'"),
        ("type: sweep", "type: pipeline", "the type of a job is sweep or command, got pipeline"),
        ("search_space.c_value", "search_space.c", r"\$\{\{search_space.c\}\}"),
        ("code: ./src", "code: ./scr", r"line 7 \(trial\): there is no source .* did you mean 'src'"),
        ("compute: azureml:", "compute: azureml:a/b:", "expected the name of a cluster, or local"),
        ("tags: {team: red, year: 2026}", "tags: [a]", r"\(tags\): expected a section of keys and values, got a list"),
        ("tags: {team: red, year: 2026}", "tags: {a: [1]}", r"\(tags.a\): expected a plain value, got a list"),
        ("goal: maximize", "goal: maximize\n  goal: minimize", "line 26: the key 'goal' stands twice"),
        ("kernel: linear", "kernel: {type: integer, value: x}", r"\(inputs.kernel\): an input of type integer needs"),
        ("type: sweep", "type: [", "line 4 is not valid YAML"),
    ],
)
def test_a_mistake_is_named_with_file_and_place(folder: Path, old: str, new: str, sentence: str) -> None:
    assert old in SWEEP
    with pytest.raises(InvalidInput, match=sentence):
        read_job(write(folder, SWEEP.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "environment: current",
            "environment: azureml:AzureML-sklearn@latest",
            "--environment current",
        ),
        (
            "environment: current",
            "environment: {image: x}",
            r"line 11 \(trial.environment.image\).*name a conda_file",
        ),
        (
            "environment: current",
            "environment: {build: {path: x}}",
            r"line 11 \(trial.environment.build\): images are not built here",
        ),
        ("instance_count: 1", "instance_count: 2", r"trial.resources.instance_count\): .* one node, got 2"),
        ("instance_count: 1", "instance_type: X", "sublight cluster create"),
        ("code: ./src", "code: azureml:c:1", "must be a local folder"),
        ("path: ./data", "path: azureml://data", "only paths on this machine"),
        ("type: uri_folder", "type: mltable", "an input of type 'mltable' is not offered"),
        ("tags:", "outputs: {x: {type: uri_folder}}\ntags:", r"write results into ./outputs"),
        ("tags:", "queue_settings: {job_tier: spot}\ntags:", "remove queue_settings"),
        ("  code: ./src", "  code: ./src\n  distribution: {type: mpi}", "one process per trial"),
        ("algorithm: random", "algorithm: {type: random, logbase: 10}", "exponents of e here"),
        ("--kernel", "$[[--x ${{inputs.x}}]] --kernel", "optional parts"),
    ],
)
def test_what_is_known_but_not_offered_says_what_to_do(folder: Path, old: str, new: str, sentence: str) -> None:
    with pytest.raises(NotSupported, match=sentence):
        read_job(write(folder, SWEEP.replace(old, new, 1)))


def test_a_missing_file_names_what_is_there(folder: Path) -> None:
    write(folder, SWEEP)

    with pytest.raises(
        InvalidInput, match=r"there is no file .*swep.yml; .* holds sweep.yml; did you mean 'sweep.yml'"
    ):
        read_job(folder / "swep.yml")


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just text"])
def test_a_file_that_is_no_job_is_refused(folder: Path, text: str) -> None:
    with pytest.raises(InvalidInput, match="must hold a mapping"):
        read_job(write(folder, text))


def test_a_parameter_that_the_command_does_not_use_is_refused(folder: Path) -> None:
    text = SWEEP.replace("objective:", "  unused: [1, 2]\nobjective:")

    with pytest.raises(InvalidInput, match=r"does not use \$\{\{search_space.unused\}\}"):
        read_job(write(folder, text))


def test_what_a_person_should_know_is_noted(folder: Path) -> None:
    without_limits = SWEEP.replace("  max_total_trials: 4\n", "").replace(
        "  kernel: linear", "  kernel: linear\n  left: 1"
    )

    notes = read_job(write(folder, without_limits)).notes

    assert "up to 1,000 trials will run" in notes[0]
    assert "does not use the input left" in notes[1]
    assert read_job(write(folder, SWEEP)).notes == ()


def test_an_environment_of_the_file_can_be_overruled(folder: Path) -> None:
    text = SWEEP.replace("environment: current", "environment: azureml:AzureML-sklearn@latest")

    what = read_job(write(folder, text), environment="current").what

    assert isinstance(what, Sweep)
    assert what.script.environment is None


def test_a_conda_file_is_built_and_the_image_beside_it_is_told_to_have_no_effect(folder: Path) -> None:
    (folder / "conda.yml").write_text("dependencies: [python=3.11, numpy=1.23.5]\n")
    text = SWEEP.replace("environment: current", "environment: {image: docker.io/x, conda_file: conda.yml, name: old}")

    job = read_job(write(folder, text), relax_pins=True)

    assert isinstance(job.what, Sweep)
    spec = job.what.script.definition("s").environment_spec
    assert (spec.name, spec.python, spec.requirements, spec.is_relaxed) == ("old", "3.11", ["numpy==1.23.5"], True)
    assert any("docker.io/x has no effect" in note for note in job.notes)


def test_the_content_of_a_conda_file_may_stand_in_the_job_file(folder: Path) -> None:
    text = SWEEP.replace("environment: current", "environment: {conda_file: {dependencies: [{pip: [joblib]}]}}")
    what = read_job(write(folder, text)).what

    assert isinstance(what, Sweep)
    assert what.script.environment.spec.requirements == ["joblib"]


def test_all_unknown_keys_of_a_section_are_named_at_once_and_the_file_once(folder: Path) -> None:
    with pytest.raises(InvalidInput, match="'max_foo', 'max_bar' are not known here"):
        read_job(write(folder, SWEEP.replace("limits:", "limits:\n  max_foo: 1\n  max_bar: 2")))
    with pytest.raises(NotSupported) as refusal:
        read_job(write(folder, SWEEP.replace("environment: current", "environment: mine")))
    assert str(refusal.value).count("sweep.yml") == 1


@pytest.mark.parametrize(
    ("command", "is_refused"),
    [
        ("python helo.py --C ${{search_space.c_value}}", True),
        ("python -u helo.py ${{search_space.c_value}}", True),
        ("python hello.py ${{search_space.c_value}}", False),
        ("cd src && python elsewhere.py ${{search_space.c_value}}", False),
        ("python -m package.module ${{search_space.c_value}}", False),
        ("python /opt/tool.py ${{search_space.c_value}}", False),
    ],
)
def test_a_command_that_runs_a_file_which_is_not_sent_is_refused(folder: Path, command: str, is_refused: bool) -> None:
    script = Script(command=command, source=folder / "src")
    packed = pack(folder / "src")

    if is_refused:
        with pytest.raises(InvalidInput, match=r"runs helo.py, which is not in the snapshot.*did you mean 'hello.py'"):
            script.check_packed(packed)
    else:
        script.check_packed(packed)
