"""A scripted server for the SDK's tests: answers by method and path, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import msgspec

from sublight.messages.clusters import ClusterView, SizeView
from sublight.messages.definitions import ScriptDefinition, SweepDefinition
from sublight.messages.people import ErrorBody
from sublight.messages.runs import BestTrial, RunPage, RunView, SweepProgress
from sublight.sdk.client import Client
from sublight.sdk.endpoint import Endpoint

Answer = Callable[[httpx.Request], httpx.Response]
URL = "http://127.0.0.1:9"


@dataclass
class FakeServer:
    """``server.on("GET", "/health", {...})``; a list of answers is given one by one, the last one for ever."""

    routes: dict[tuple[str, str], list[object]] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)

    def on(self, method: str, path: str, *answers: object) -> FakeServer:
        self.routes[(method, path)] = list(answers)
        return self

    def handle(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answers = self.routes.get((request.method, request.url.path))
        if not answers:
            return error(404, "not_found", f"the fake knows no {request.method} {request.url.path}")
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            answer = answer(request)
        return answer if isinstance(answer, httpx.Response) else as_json(answer)

    def client(self, **arguments: Any) -> Client:
        http = httpx.Client(transport=httpx.MockTransport(self.handle))
        arguments.setdefault("sleep", lambda _: None)
        return Client(Endpoint(URL, "secret"), http=http, **arguments)

    def bodies(self, method: str, path: str) -> list[Any]:
        chosen = [request for request in self.requests if (request.method, request.url.path) == (method, path)]
        return [msgspec.json.decode(request.content) if request.content else None for request in chosen]


class Clock:
    """Time that passes only while someone sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def as_json(content: object, status: int = 200) -> httpx.Response:
    if content is None:
        return httpx.Response(204)
    headers = {"Content-Type": "application/json"}
    return httpx.Response(status, content=msgspec.json.encode(content), headers=headers)


def error(status: int, code: str, message: str) -> httpx.Response:
    return as_json(ErrorBody(code=code, message=message), status)


def a_run(run_id: str = "exp-abc123", **changes: Any) -> RunView:
    run = RunView(
        id=run_id,
        kind="script",
        experiment="exp",
        name=run_id,
        target="cpu",
        status="queued",
        reason="waits for a node of cpu",
        end_reason=None,
        created_by="owner",
        created=100.0,
        script=ScriptDefinition(snapshot_id="s", script="train.py"),
    )
    return replace(run, **changes)


def a_sweep(*, best: BestTrial | None = None, created: int = 4, active: int = 2, **changes: Any) -> RunView:
    definition = SweepDefinition(
        trial=ScriptDefinition(snapshot_id="s", script="train.py"),
        space={"lr": {"type": "uniform", "min_value": 0, "max_value": 1}},
        sampler={"type": "random", "seed": 1},
        policy={"type": "no_termination"},
        metric="accuracy",
        direction="maximize",
        max_trials=8,
    )
    progress = SweepProgress(
        trials_max=8,
        trials_created=created,
        trials_active=active,
        trials_completed=created - active,
        trials_stopped_early=0,
        trials_canceled=0,
        trials_failed=0,
        space_size=None,
        best=best,
    )
    changes = {"status": "running", "queued": 100.0, **changes}
    return a_run("sweep-ab", kind="sweep", script=None, sweep=definition, progress=progress, **changes)


def a_trial(index: int, **changes: Any) -> RunView:
    changes = {"status": "running", "started": 110.0, "parameters": {"lr": 0.125 * index}, **changes}
    return a_run(f"sweep-ab-{index}", kind="trial", parent_id="sweep-ab", index=index, **changes)


def a_page(*runs: RunView, next_before: str | None = None) -> RunPage:
    return RunPage(runs=list(runs), next_before=next_before)


def a_cluster(**changes: Any) -> ClusterView:
    cluster = ClusterView(
        name="cpu",
        engine="local",
        size=SizeView(name="STANDARD_D3_V2", cores=4, memory_bytes=14 << 30, gpus=0, gpu_name="", price_per_hour=0.25),
        min_nodes=0,
        max_nodes=4,
        idle_seconds=30,
        trials_per_node=1,
        state="ready",
        reason="",
        target_nodes=0,
        target_reason="nothing waits",
        queued_runs=0,
        active_runs=0,
        nodes=[],
        created=1.0,
        created_by="owner",
    )
    return replace(cluster, **changes)
