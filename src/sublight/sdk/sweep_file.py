"""Job files: the YAML of Azure ML v2 sweep and command jobs, so that people's existing files mean the same here.

What a file may say that this version does not offer is refused with a sentence and its place; nothing is ignored.
Our own additions stand in a section ``sublight``: ``method`` (tpe, gp), ``seed``, ``trials_per_node``, ``retries_max``,
``resume_from``.

An ``environment`` with a ``conda_file`` is built by the node; an ``image`` beside it has no effect, which is told.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sublight.core.arguments import placeholders
from sublight.core.errors import InvalidInput, NotSupported, SublightError
from sublight.core.metric import Direction, Goal
from sublight.core.policies.base import Policy
from sublight.sdk import search_file
from sublight.sdk.environment import CURRENT_ENVIRONMENT, Environment, environment_notes, environment_of
from sublight.sdk.script import Script
from sublight.sdk.sweep import Sweep
from sublight.sdk.yaml_section import Section, load_document

# What a sweep job without the limit means in Azure ML.
_MAX_TRIALS = 1000

_NOT_OFFERED = {
    "identity": "runs here act as the server's user; remove identity",
    "queue_settings": "there are no job tiers here; remove queue_settings",
    "outputs": "write results into ./outputs, which is kept with the run; remove outputs",
    "services": "interactive services are not offered; remove services",
    "parent_job_name": "a job file is always a run of its own; remove parent_job_name",
}
_NOT_OFFERED_IN_TRIAL = {
    "distribution": "this version runs one process per trial; remove distribution, or start the processes in the command",
}


@dataclass(frozen=True)
class Job:
    """A job file, read: what to submit, and where to. ``target`` is None when the file names no compute."""

    what: Script | Sweep
    experiment: str
    target: str | None
    name: str | None
    tags: dict[str, str]
    properties: dict[str, str]
    # What a person should know who submits it, in sentences.
    notes: tuple[str, ...] = ()


def read_job(file: str | Path, *, environment: Environment | str | None = None, relax_pins: bool = False) -> Job:
    """Read a job file. InvalidInput or NotSupported, with file and line, for everything that cannot be meant here.

    ``environment`` takes the place of what the file says of it; ``relax_pins`` relaxes the pins of either.
    """
    path = Path(file)
    job = Section.whole(load_document(path))
    kind = job.text("type") or ("sweep" if job.has("trial") else "command" if job.has("command") else "")
    if kind not in ("sweep", "command"):
        raise job.fault("type" if kind else None, f"the type of a job is sweep or command, got {kind or 'none'}")
    job.refuse(_NOT_OFFERED)
    description = job.text("description")
    properties = job.texts("properties")
    if description:
        properties["description"] = description
    name, display_name = job.text("name"), job.text("display_name")
    experiment = job.text("experiment_name") or path.resolve().parent.name
    target = _target(job)
    tags = job.texts("tags")
    what: Script | Sweep = _sweep(job, environment) if kind == "sweep" else _command_job(job, environment)
    if relax_pins:
        script = what.script if isinstance(what, Sweep) else what
        script.environment = environment_of(script.environment, relax_pins=True)
    job.close(ignored=["$schema"])
    return Job(what, experiment, target, display_name or name, tags, properties, tuple(_notes(what)))


def _notes(what: Script | Sweep) -> Iterator[str]:
    script = what.script if isinstance(what, Sweep) else what
    if isinstance(what, Sweep) and what.max_trials == _MAX_TRIALS:
        size = what.space.size
        least = _MAX_TRIALS if size is None else min(size, _MAX_TRIALS)
        yield f"up to {least:,} trials will run; limits.max_total_trials sets another number"
    if script.environment is not None:
        yield from environment_notes(script.environment)
    if script.command is not None:
        unused = sorted(set(script.inputs) - placeholders(script.command, "inputs"))
        if unused:
            yield f"the command does not use the input{'s' if len(unused) > 1 else ''} {', '.join(unused)}"


def _target(job: Section) -> str | None:
    compute = job.text("compute")
    if compute is None:
        return None
    target = compute.removeprefix("azureml:")
    if not target or "/" in target or ":" in target:
        raise job.fault("compute", f"expected the name of a cluster, or local, got {compute!r}")
    return target


def _command_job(job: Section, environment: Environment | str | None) -> Script:
    limits = job.section("limits")
    timeout = limits.number("timeout")
    limits.close()
    own = job.section("sublight")
    script = _script(job, job, environment, max_run_seconds=timeout, retries_max=own.whole_number("retries_max"))
    own.close()
    return script


def _sweep(job: Section, environment: Environment | str | None) -> Sweep:
    if not job.has("trial"):
        raise job.fault(None, "'trial' is missing: it says what each trial runs")
    trial, limits, own = job.section("trial"), job.section("limits"), job.section("sublight")
    script = _script(
        trial,
        job,
        environment,
        max_run_seconds=limits.number("trial_timeout"),
        retries_max=own.whole_number("retries_max"),
    )
    trial.close()
    seconds = limits.number("timeout")
    max_trials = limits.whole_number("max_total_trials")
    max_concurrent = limits.whole_number("max_concurrent_trials")
    limits.close()
    goal = _goal(job.section("objective"))
    sampler = search_file.read_sampler(job, method=own.text("method"), seed=own.whole_number("seed"))
    policy = _policy(job)
    space = job.section("search_space")
    trials_per_node = own.whole_number("trials_per_node")
    resume_from = _names(own, "resume_from")
    own.close()
    if not space.names():
        raise job.fault(None, "'search_space' is missing: it says which values the trials try")
    declared = search_file.read_space(space)
    try:
        return Sweep(
            script,
            space=declared,
            goal=goal,
            max_trials=_MAX_TRIALS if max_trials is None else max_trials,
            sampler=sampler,
            policy=policy,
            max_concurrent=max_concurrent,
            max_minutes=None if seconds is None else seconds / 60,
            trials_per_node=trials_per_node,
            resume_from=resume_from,
        )
    except SublightError as error:
        raise type(error)(f"{job.document.file.name}: {error}") from error


def _script(
    section: Section,
    job: Section,
    environment: Environment | str | None,
    *,
    max_run_seconds: float | None,
    retries_max: int | None,
) -> Script:
    """The script of a section with ``command`` and ``code``; inputs and defaults stand at the top of the file."""
    section.refuse(_NOT_OFFERED_IN_TRIAL)
    folder = job.document.file.parent
    command = section.needed_text("command")
    if "$[[" in command:
        raise NotSupported(
            f"{section.place('command')}: optional parts $[[…]] belong to components; write the part out"
        )
    _check_resources(section)
    inputs = search_file.read_inputs(job.section("inputs"), folder.resolve())
    code, variables = _code(section, folder), section.texts("environment_variables")
    if environment is None:
        environment = _environment(section, folder)
    else:
        section.take("environment")
    try:
        return Script(
            command=command.strip(),
            source=code,
            inputs=inputs,
            environment=environment,
            environment_variables=variables,
            max_run_seconds=max_run_seconds,
            retries_max=3 if retries_max is None else retries_max,
        )
    except SublightError as error:
        raise type(error)(f"{section.place()}: {error}") from error


def _code(section: Section, folder: Path) -> Path:
    code = section.text("code")
    if code is None:
        return folder
    if ":" in code.partition("/")[0]:
        raise NotSupported(
            f"{section.place('code')}: the code must be a local folder, relative to the file, got {code!r}"
        )
    return Path(os.path.normpath(folder / code))


def _environment(section: Section, folder: Path) -> Environment | str:
    """What the file says of its environment: ``current``, or one to build from a conda file."""
    given = section.take("environment")
    if given in (None, CURRENT_ENVIRONMENT):
        return CURRENT_ENVIRONMENT
    if isinstance(given, str):
        raise NotSupported(
            f"{section.place('environment')}: there is no list of environments to take {given!r} from; name a conda_file, "
            f"or submit with --environment {CURRENT_ENVIRONMENT} (the Python of the nodes) or --environment requirements.txt"
        )
    environment = section.section("environment")
    conda, name = environment.take("conda_file"), environment.text("name")
    image = environment.take("image")
    environment.refuse({"build": "images are not built here; name a conda_file"})
    if conda is None:
        raise NotSupported(
            f"{environment.place('image' if image else None)}: runs here are no containers, so an image alone "
            f"says nothing; name a conda_file beside it, or submit with --environment {CURRENT_ENVIRONMENT}"
        )
    environment.close(ignored=["version", "description", "tags", "os_type", "$schema"])
    place = environment.place("conda_file")
    if isinstance(conda, str):
        built = Environment.from_file(Path(os.path.normpath(folder / conda)), name=name)
    elif isinstance(conda, Mapping):
        built = Environment.from_conda(conda, name=name, place=place)
    else:
        raise environment.fault("conda_file", f"expected the path of a conda file or its content, got {conda!r}")
    if image:
        built.spec.notes.append(f"the image {image} has no effect: runs here are no containers")
    return built


def _check_resources(section: Section) -> None:
    resources = section.section("resources")
    count = resources.whole_number("instance_count")
    if count not in (None, 1):
        raise NotSupported(
            f"{resources.place('instance_count')}: this version runs each trial on one node, got {count}"
        )
    resources.refuse(
        {
            "instance_type": "the size belongs to the cluster: sublight cluster create NAME --size SIZE",
            "shm_size": "runs here are no containers; remove shm_size",
            "docker_args": "runs here are no containers; remove docker_args",
            "properties": "resource properties are not offered; remove them",
        }
    )
    resources.close()


def _goal(objective: Section) -> Goal:
    metric = objective.needed_text("primary_metric")
    direction = objective.needed_text("goal")
    objective.close()
    if direction.lower() not in set(Direction):
        raise objective.fault("goal", f"the goal is maximize or minimize, got {direction!r}")
    return Goal(metric, Direction(direction.lower()))


def _policy(job: Section) -> Policy | None:
    return search_file.read_policy(job.section("early_termination")) if job.has("early_termination") else None


def _names(section: Section, key: str) -> Sequence[str]:
    value = section.take(key)
    names = [] if value is None else value if isinstance(value, list) else [value]
    if any(not isinstance(name, str) for name in names):
        raise InvalidInput(f"{section.place(key)}: expected the id of a sweep, or a list of them")
    return names
