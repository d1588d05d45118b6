"""Experiments: list, look, make, change, delete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from sublight.core.errors import Conflict
from sublight.messages.experiments import ExperimentSummary, ExperimentUpdate
from sublight.server.clock import Clock
from sublight.server.services.runs import check_experiment_name
from sublight.store import audit
from sublight.store import experiments as experiment_rows
from sublight.store import runs as run_rows
from sublight.store.database import Database

if TYPE_CHECKING:
    from sublight.server.caller import Caller
    from sublight.server.services.assets import Assets
    from sublight.server.services.files import Files

_SHOWN = 3


class Experiments:
    """The verbs on experiments. ``removed`` is called after runs were deleted, whose ids may now come again."""

    def __init__(
        self, database: Database, clock: Clock, *, files: Files, assets: Assets, removed: Callable[[], None]
    ) -> None:
        self._database = database
        self._clock = clock
        self._files = files
        self._assets = assets
        self._removed = removed

    def list(self) -> Sequence[ExperimentSummary]:
        """All experiments, archived ones too; those with the newest runs first."""
        with self._database.read() as connection:
            return [_summary(row) for row in experiment_rows.all_experiments(connection)]

    def get(self, name: str) -> ExperimentSummary:
        """One experiment."""
        with self._database.read() as connection:
            return _summary(experiment_rows.get(connection, name))

    def ensure(self, name: str) -> ExperimentSummary:
        """The experiment of this name, made without a run when there is none."""
        check_experiment_name(name)
        with self._database.write() as connection:
            experiment_rows.ensure(connection, name, time=self._clock.now())
            return _summary(experiment_rows.get(connection, name))

    def update(self, caller: Caller, name: str, change: ExperimentUpdate) -> ExperimentSummary:
        """Set and remove tags, archive or take back."""
        with self._database.write() as connection:
            row = experiment_rows.get(connection, name)
            tags = {**row.tags, **change.tags}
            values: dict[str, Any] = {"tags": {key: value for key, value in tags.items() if value is not None}}
            if change.is_archived is not None:
                values["is_archived"] = change.is_archived
            experiment_rows.change(connection, name, **values)
            self._note(connection, caller, "update experiment", name, msgspec.to_builtins(change))
            return _summary(experiment_rows.get(connection, name))

    def delete(self, caller: Caller, name: str) -> None:
        """Remove an experiment with its runs, their metrics, logs and files; Conflict while one has not ended.

        Contents of files that something else needs, such as a registered model, stay.
        """
        with self._database.write() as connection:
            experiment_rows.get(connection, name)
            unfinished = run_rows.unfinished_of_experiment(connection, name)
            if unfinished:
                more = f" and {len(unfinished) - _SHOWN} more" if len(unfinished) > _SHOWN else ""
                raise Conflict(
                    f"experiment {name!r} has runs that have not ended ({', '.join(unfinished[:_SHOWN])}{more}); "
                    "cancel them or wait for them first"
                )
            heirs = run_rows.heirs_elsewhere(connection, name)
            if heirs:
                raise Conflict(
                    f"sweep {heirs[0][0]} has not ended and learns from sweep {heirs[0][1]} of experiment {name!r}; "
                    "cancel it or wait for it first"
                )
            run_ids, hashes = run_rows.remove_all(connection, self._database, name)
            experiment_rows.remove(connection, name)
            self._note(connection, caller, "delete experiment", name, {"runs": len(run_ids)})
            self._database.after_commit(self._removed)
        self._files.remove_logs(run_ids)
        self._assets.remove_unused(hashes)

    def _note(self, connection: Any, caller: Caller, action: str, name: str, detail: dict[str, Any]) -> None:
        subject = f"experiment:{name}"
        audit.append(connection, caller, action=action, subject=subject, detail=detail, time=self._clock.now())


def _summary(row: Any) -> ExperimentSummary:
    return ExperimentSummary(
        name=row.name,
        created=row.created,
        runs_count=row.runs_count,
        last_run=row.last_run,
        id=row.id,
        tags=row.tags,
        is_archived=row.is_archived,
    )
