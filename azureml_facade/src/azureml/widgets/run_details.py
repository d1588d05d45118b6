"""RunDetails: live in a notebook; elsewhere it waits with a progress display, because nobody watches a widget there."""

from __future__ import annotations

import html
import logging
import sys
import threading
from typing import Any

from azureml.core.run import _v1_errors

_log = logging.getLogger("azureml.widgets")

_SECONDS_BETWEEN = 1.0
# How often in a row the server may not answer before the display gives up; each time the SDK has tried for a while.
_FAILURES_MAX = 20
_ROWS_MAX = 20


class RunDetails:
    """Shows a run: its state, for a sweep its children with the best so far, and where the portal has the rest."""

    def __init__(self, run_instance: Any) -> None:
        self._run = run_instance

    def show(self, render_lib: Any = None, widget_settings: Any = None) -> None:  # the signature of v1
        """In a notebook: a display that renews itself until the run has ended; the cell returns at once.

        In a plain program: wait for the end with a progress display. Ctrl-C ends the waiting, not the run.
        """
        if _is_in_notebook():
            _show_live(self._run)
            return
        print(f"{self._run.id}: {self._run.get_portal_url()}", flush=True)
        try:
            with _v1_errors():
                self._run._sdk_run.wait(progress=True)
        except KeyboardInterrupt:
            print(f"{self._run.id} goes on; run.cancel() ends it", file=sys.stderr, flush=True)

    def get_widget_data(self, widget_settings: Any = None) -> dict[str, Any]:
        """What the display shows, as data: status, run_id, and for a sweep child_runs and the primary metric's name."""
        return widget_data(self._run)


def widget_data(run: Any) -> dict[str, Any]:
    """The present state of a run in the shape that the widget of v1 kept in notebooks."""
    from azureml._run_details import v1_status

    with _v1_errors():
        view = run._sdk_run.refresh().view
        trials = run._sdk_run.trials() if view.sweep is not None else []
    data: dict[str, Any] = {
        "status": v1_status(view),
        "workbench_run_details_uri": run.get_portal_url(),
        "run_id": run.id,
        "run_properties": {
            "run_id": run.id,
            "created_utc": view.created,
            "end_time_utc": view.ended,
            "status": v1_status(view),
        },
        "child_runs": [],
    }
    if view.sweep is not None:
        data["primary_metric"] = view.sweep.metric
        data["child_runs"] = [
            {
                "run_id": trial.id,
                "run_number": trial.view.index,
                "status": v1_status(trial.view),
                "metric": trial.view.best_value,
                **{f"param_{name}": value for name, value in trial.view.parameters.items()},
            }
            for trial in trials
        ]
    return data


def _is_in_notebook() -> bool:
    """True in a kernel with a front end that can show HTML; false in the terminal's IPython and in plain programs."""
    shell = sys.modules.get("IPython")
    if shell is None:
        return False
    instance = shell.get_ipython()
    return instance is not None and hasattr(instance, "kernel")


def _show_live(run: Any) -> None:
    from IPython.display import HTML, display

    handle = display(HTML(as_html(widget_data(run))), display_id=True)
    if handle is None:
        return

    def renew() -> None:
        wait = threading.Event()
        failures = 0
        while True:
            wait.wait(_SECONDS_BETWEEN)
            try:
                data = widget_data(run)
                handle.update(HTML(as_html(data)))
            except Exception as error:  # a display must not end with a traceback in somebody's notebook
                failures += 1
                if failures < _FAILURES_MAX:  # the server may be starting anew
                    continue
                _log.warning("the display of %s stops: %s", run.id, error)
                return
            failures = 0
            if data["status"] in ("Completed", "Failed", "Canceled"):
                return

    threading.Thread(target=renew, name=f"widget of {run.id}", daemon=True).start()


def as_html(data: dict[str, Any]) -> str:
    """The display: one line on the run, and for a sweep its children, best first."""
    url = html.escape(data["workbench_run_details_uri"], quote=True)
    head = (
        f"<p><b>{html.escape(data['run_id'])}</b>: {html.escape(data['status'])} "
        f"&middot; <a href='{url}' target='_blank'>open in the portal</a></p>"
    )
    children = data["child_runs"]
    if not children:
        return head
    metric = html.escape(str(data.get("primary_metric", "metric")))
    names = sorted({name for child in children for name in child if name.startswith("param_")})
    ended = sum(child["status"] in ("Completed", "Failed", "Canceled") for child in children)
    shown = sorted(children, key=lambda child: (child["metric"] is None, -child["run_number"]))[:_ROWS_MAX]
    columns = "".join(f"<th>{html.escape(name.removeprefix('param_'))}</th>" for name in names)
    rows = "".join(
        f"<tr><td>{child['run_number']}</td><td>{html.escape(child['status'])}</td>"
        f"<td>{'' if child['metric'] is None else format(child['metric'], '.6g')}</td>"
        + "".join(f"<td>{html.escape(str(child.get(name, '')))}</td>" for name in names)
        + "</tr>"
        for child in shown
    )
    left = len(children) - len(shown)
    more = f"<p>and {left} more in the portal</p>" if left > 0 else ""
    return (
        f"{head}<p>{ended} of {len(children)} child runs ended</p>"
        f"<table><thead><tr><th>run</th><th>status</th><th>{metric}</th>{columns}</tr></thead><tbody>{rows}</tbody></table>{more}"
    )
