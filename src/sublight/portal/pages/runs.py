"""``/runs``: the history, with filters whose whole state stands in the address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from sublight.core.run import RunStatus
from sublight.messages.runs import RunPage, RunView
from sublight.portal.formats import shell_word
from sublight.portal.page import ACTIVE, ENDED, EXAMPLE_LINES, WAITING, Elsewhere, Page
from sublight.portal.ports import Services
from sublight.portal.rendering import render

FILTERS = ("experiment", "status", "kind", "target", "search", "tag")
# Without a kind the history lists what people submitted.
KINDS = ("script", "sweep", "interactive", "trial", "child")
# A filter may name a family of statuses, which is what people mean by "what is running?".
FAMILIES = {"active": ACTIVE, "waiting": WAITING, "ended": ENDED}
# Trials that the policy ended; a status by the look of it, an end reason in truth.
ENDED_EARLY = "ended early"
PAGE_SIZE = 50
_OPTIONS = {"target": "on"}  # where the command line has another word


def router(services: Services) -> APIRouter:
    """The route of the history."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/runs", name="portal_runs")
    def runs(request: Request) -> Response:
        return render(request, "runs.html", HistoryPage(services, request.query_params))

    return routes


class HistoryPage(Page):
    """The values of the history."""

    fragments = ("runs/table",)
    title = "Runs"
    place = "runs"
    example_lines = EXAMPLE_LINES
    kinds = KINDS
    statuses = (*FAMILIES, ENDED_EARLY, *(status.value for status in RunStatus))

    def __init__(self, services: Services, query: Mapping[str, str]) -> None:
        self._services = services
        self.chosen = {name: query.get(name, "").strip() for name in FILTERS}
        self.before = query.get("before") or None
        self._is_ended_early = self.chosen["status"] == ENDED_EARLY
        if self._is_ended_early:
            self.chosen["kind"] = self.chosen["kind"] or "trial"  # only trials are ended by a policy

    @property
    def is_filtered(self) -> bool:
        return any(self.chosen.values())

    @property
    def next_address(self) -> str | None:
        before = self.found.next_before
        if before is None:
            return None
        return "/runs?" + urlencode({**{name: text for name, text in self.chosen.items() if text}, "before": before})

    @property
    def first_address(self) -> str:
        chosen = {name: text for name, text in self.chosen.items() if text}
        return "/runs?" + urlencode(chosen) if chosen else "/runs"

    @property
    def elsewhere(self) -> Elsewhere:
        options = ""
        arguments = []
        for name, text in self.chosen.items():
            if name == "status" and self._is_ended_early:
                options += " --end-reason policy"
                arguments.append("end_reason='policy'")
            elif text and name == "status":
                options += "".join(f" --status {shell_word(word)}" for word in self._statuses)
                arguments.append(f"status={list(self._statuses)!r}")
            elif text:
                options += f" --{_OPTIONS.get(name, name)} {shell_word(text)}"
                arguments.append(f"{name}={text!r}")
        return Elsewhere(
            cli=f"sublight run list{options}",
            sdk=f"import sublight as sl\n\nws = sl.Workspace.from_config()\nws.runs({', '.join(arguments)})",
        )

    @property
    def _statuses(self) -> tuple[str, ...]:
        chosen = self.chosen["status"]
        return FAMILIES.get(chosen, (chosen,)) if chosen and not self._is_ended_early else ()

    @cached_property
    def found(self) -> RunPage:
        chosen = {name: text or None for name, text in self.chosen.items()}
        return self._services.runs.list(
            experiment=chosen["experiment"],
            kind=chosen["kind"],
            status=self._statuses,
            target=chosen["target"],
            search=chosen["search"],
            tag=chosen["tag"],
            end_reason="policy" if self._is_ended_early else None,
            before=self.before,
            limit=PAGE_SIZE,
        )

    @property
    def runs(self) -> Sequence[RunView]:
        return self.found.runs

    @cached_property
    def experiments(self) -> list[str]:
        return [experiment.name for experiment in self._services.experiments()]

    @cached_property
    def targets(self) -> list[str]:
        return ["local", *(cluster.name for cluster in self._services.clusters.list() if cluster.name != "local")]
