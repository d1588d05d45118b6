"""``/runs/{id}``: one run with all it left, or a sweep with its trials; and the button that cancels it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from sublight.core.run import RunStatus
from sublight.messages.definitions import ScriptDefinition, SnapshotView
from sublight.messages.runs import (
    RECORDS_PAGE,
    ArtifactView,
    AttemptView,
    EventView,
    LogFile,
    MetricSummary,
    RecordView,
    RunView,
)
from sublight.portal.files import is_picture_name
from sublight.portal.formats import shell_word
from sublight.portal.logs import LogPart, read_tail
from sublight.portal.page import Elsewhere, Page
from sublight.portal.pages.sweep import SweepPage
from sublight.portal.ports import Services
from sublight.portal.records import Shown, to_show
from sublight.portal.rendering import render
from sublight.server.auth import current_caller
from sublight.server.caller import Caller

CHARTS_MAX = 24


def router(services: Services) -> APIRouter:
    """The routes of one run's page."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/runs/{run_id}", name="portal_run")
    def show(request: Request, run_id: str) -> Response:
        run = services.runs.get(run_id)
        if run.sweep is not None:
            return render(request, "sweep.html", SweepPage(services, run, request.query_params))
        query = request.query_params
        page = RunPage(services, run, log_path=query.get("log"), log_attempt=query.get("attempt"))
        return render(request, "run.html", page)

    @routes.post("/runs/{run_id}/cancel", name="portal_cancel_run")
    def cancel(run_id: str, caller: Caller = Depends(current_caller)) -> Response:
        services.runs.cancel(caller, run_id)
        return RedirectResponse(f"/runs/{run_id}", status_code=303)

    return routes


class RunPage(Page):
    """The values of the page of a script run, a trial, a child or an interactive run."""

    fragments = (
        "run/summary", "run/metrics", "run/records", "run/logs", "run/outputs", "run/children", "run/attempts",
        "run/events",
    )  # fmt: skip
    place = "runs"

    def __init__(
        self, services: Services, run: RunView, *, log_path: str | None = None, log_attempt: str | None = None
    ) -> None:
        self._services = services
        self._log_path = log_path
        self._log_attempt = log_attempt
        self.run = run
        self.title = run.name or run.id

    @property
    def elsewhere(self) -> Elsewhere:
        run_id = shell_word(self.run.id)
        return Elsewhere(
            cli=(
                f"sublight run show {run_id}\nsublight run logs {run_id} --follow\n"
                f"sublight run metrics {run_id}\nsublight run download {run_id}"
            ),
            sdk=(
                "import sublight as sl\n\nws = sl.Workspace.from_config()\n"
                f"run = ws.run({self.run.id!r})\nrun.metrics, run.arguments, run.status"
            ),
        )

    @property
    def is_interactive(self) -> bool:
        return self.run.kind == "interactive"

    @property
    def is_active(self) -> bool:
        return not RunStatus(self.run.status).is_terminal

    @cached_property
    def parent(self) -> RunView | None:
        return self._services.runs.get(self.run.parent_id) if self.run.parent_id else None

    @cached_property
    def script(self) -> ScriptDefinition | None:
        """What was run; a trial's script is declared by its sweep."""
        if self.run.script is not None or self.parent is None:
            return self.run.script
        return self.parent.sweep.trial if self.parent.sweep is not None else None

    @cached_property
    def summaries(self) -> Sequence[MetricSummary]:
        return self._services.metrics.summaries(self.run.id)

    @property
    def charted(self) -> list[MetricSummary]:
        """Metrics with a course to draw; one that was reported once is only a number."""
        return [summary for summary in self.summaries if summary.count > 1][:CHARTS_MAX]

    @cached_property
    def logged(self) -> Sequence[RecordView]:
        return self._services.metrics.records(self.run.id)

    @cached_property
    def records(self) -> list[Shown]:
        return to_show(self.logged)

    @property
    def are_records_cut(self) -> bool:
        """True when the page shows only the first records; the SDK and the command line give all."""
        return len(self.logged) >= RECORDS_PAGE

    @cached_property
    def logs(self) -> list[LogFile]:
        # The last attempt first, and of each what the script printed.
        return sorted(
            self._services.files.logs(self.run.id),
            key=lambda file: (-file.attempt, not file.path.endswith("std_log.txt"), file.path),
        )

    @cached_property
    def log(self) -> LogPart | None:
        """The end of the chosen log, of the last attempt unless another is chosen; without a choice, of the first log."""
        of_attempt = [file for file in self.logs if self._log_attempt in (None, str(file.attempt))]
        chosen = next((file for file in of_attempt if file.path == self._log_path), None)
        file = chosen or next(iter(of_attempt or self.logs), None)
        return read_tail(self._services.files, self.run.id, file) if file else None

    @property
    def has_logs_of_several_attempts(self) -> bool:
        return len({file.attempt for file in self.logs}) > 1

    @cached_property
    def artifacts(self) -> Sequence[ArtifactView]:
        return self._services.files.artifacts(self.run.id)

    @property
    def pictures(self) -> list[ArtifactView]:
        """Images among the outputs that no record shows already."""
        shown = {item.path for item in self.records if item.form == "image"}
        return [file for file in self.artifacts if is_picture_name(file.path) and file.path not in shown][:12]

    @cached_property
    def snapshot(self) -> SnapshotView | None:
        snapshot_id = self.run.snapshot_id or (self.script.snapshot_id if self.script is not None else None)
        return self._services.files.snapshot(snapshot_id) if snapshot_id is not None else None

    @cached_property
    def children(self) -> Sequence[RunView]:
        return self._services.runs.list(parent_id=self.run.id, limit=50).runs

    @cached_property
    def attempts(self) -> Sequence[AttemptView]:
        return self._services.runs.attempts(self.run.id)

    @cached_property
    def events(self) -> Sequence[EventView]:
        return self._services.runs.events(f"run:{self.run.id}", 50)[::-1]
