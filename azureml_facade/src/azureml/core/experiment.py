"""``Experiment``: a named series of runs, and the door through which runs are submitted."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Any

from azureml._refusal import LIST_OF_SUPPORT, refuse
from azureml._translation import translated
from azureml.core._portal import HasExperimentPortal
from azureml.exceptions import UserErrorException

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace
    from sublight.sdk.experiment import Experiment as SublightExperiment

module_logger = logging.getLogger(__name__)

_NAME = re.compile(r"[a-zA-Z0-9][\w-]{0,254}\Z")
# Sublight keeps whether an experiment is archived; since when, stands in this tag, which is not shown.
_ARCHIVED_TAG = "azureml.archived_time"


class ViewType:
    """Which experiments a list has."""

    ActiveOnly = "ActiveOnly"
    All = "All"
    ArchivedOnly = "ArchivedOnly"


class Experiment(HasExperimentPortal):
    """An experiment of a workspace; it is made when this object is, unless it is there.

    UserErrorException for a name that is not 1 to 255 letters, digits, ``_`` and ``-``, beginning with a letter or a
    digit.
    """

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        _skip_name_validation: bool = False,
        _id: str | None = None,
        _archived_time: datetime | None = None,
        _create_in_cloud: bool = True,
        _experiment_dto: Any = None,
        **kwargs: Any,
    ) -> None:
        if not _skip_name_validation and (not isinstance(name, str) or not _NAME.match(name)):
            raise UserErrorException(
                f"an experiment's name has 1 to 255 letters, digits, hyphens and underscores and begins with a letter "
                f"or a digit, got {name!r}"
            )
        self._workspace = workspace
        self._name = name
        self._id = _id
        self._details: Any = _experiment_dto
        if _create_in_cloud:
            self._ensure()

    # Runs

    def submit(self, config: Any, tags: dict[str, str] | None = None, **kwargs: Any) -> Any:
        """Send what ``config`` describes to its compute target; the run is returned at once."""
        from azureml._submission import submit

        return submit(self, config, tags=tags, **kwargs)

    def start_logging(self, *args: Any, **kwargs: Any) -> Any:
        """A run of this very program, ended by ``complete()``; ``snapshot_directory`` is kept as its code."""
        from azureml.core.run import _start_logging

        return _start_logging(self, *args, **kwargs)

    def get_runs(
        self, type: str | None = None, tags: Any = None, properties: Any = None, include_children: bool = False
    ) -> Iterator[Any]:
        """Its runs, newest first; those of other runs only with ``include_children``."""
        from azureml.core.run import Run

        return Run.list(self, type=type, tags=tags, properties=properties, include_children=include_children)

    # What it is

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    @property
    def workspace(self) -> Workspace:
        """The workspace it is in."""
        return self._workspace

    @property
    def workspace_object(self) -> Workspace:
        """The workspace it is in, under its older name."""
        return self._workspace

    @property
    def identity(self) -> str:
        """Its name, for logs."""
        return f"Experiment.{self._name}"

    @property
    def id(self) -> str:
        """Its id, which stays the same as long as it lives."""
        if self._id is None:
            self._id = str(self._known().id)
        return self._id

    @property
    def tags(self) -> dict[str, str]:
        """Its tags."""
        return {key: value for key, value in self._known().tags.items() if key != _ARCHIVED_TAG}

    @property
    def archived_time(self) -> datetime | None:
        """Since when it is archived; None while it is active."""
        known = self._known()
        if not known.is_archived:
            return None
        text = known.tags.get(_ARCHIVED_TAG)
        return datetime.fromisoformat(text) if text else datetime.fromtimestamp(known.created, UTC)

    def refresh(self) -> None:
        """Read what is known of it anew."""
        with translated():
            self._details = self._sdk.details

    @classmethod
    def get_docs_url(cls) -> str:
        """Where what is supported is written down."""
        return LIST_OF_SUPPORT

    # Changing it

    def archive(self) -> None:
        """Take it out of the lists; its runs stay."""
        now = datetime.now(UTC).isoformat()
        with translated():
            self._details = self._sdk.update(tags={_ARCHIVED_TAG: now}, is_archived=True)

    def reactivate(self, new_name: str | None = None) -> None:
        """Put it back into the lists; it keeps its name."""
        if new_name is not None:
            raise UserErrorException(f"experiment {self.name!r} keeps its name; call reactivate() without new_name")
        with translated():
            self._details = self._sdk.update(tags={_ARCHIVED_TAG: None}, is_archived=False)

    def tag(self, key: str, value: Any = None) -> None:
        """Set one tag; without a value it is an empty text."""
        self.set_tags({key: value})

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Set several tags; the others stay."""
        texts: dict[str, str | None] = {str(key): "" if value is None else str(value) for key, value in tags.items()}
        with translated():
            self._details = self._sdk.update(tags=texts)

    def remove_tags(self, tags: Any) -> None:
        """Remove the tags of these names."""
        names = [tags] if isinstance(tags, str) else list(tags)
        with translated():
            self._details = self._sdk.update(tags=dict.fromkeys(names))

    # Others

    @staticmethod
    def list(
        workspace: Workspace, experiment_name: str | None = None, view_type: str = ViewType.ActiveOnly, tags: Any = None
    ) -> list[Experiment]:
        """The experiments, the newest first; of this name, of this view, and with these tags where they are given.

        ``tags`` is a name, a list of names, or a dictionary of names and values.
        """
        if view_type not in (ViewType.ActiveOnly, ViewType.All, ViewType.ArchivedOnly):
            raise UserErrorException(f"view_type must be ActiveOnly, All or ArchivedOnly, got {view_type!r}")
        with translated():
            summaries = workspace._sdk.experiments
        chosen = [
            summary
            for summary in summaries
            if (experiment_name is None or summary.name == experiment_name)
            and (view_type == ViewType.All or summary.is_archived == (view_type == ViewType.ArchivedOnly))
            and _has_tags(summary.tags, tags)
        ]
        chosen.sort(key=lambda summary: summary.created, reverse=True)
        return [_of_summary(workspace, summary) for summary in chosen]

    @staticmethod
    def delete(workspace: Workspace, experiment_id: str) -> None:
        """Remove the experiment of this id, with its runs; UserErrorException while one of them has not ended."""
        with translated():
            names = [summary.name for summary in workspace._sdk.experiments if summary.id == experiment_id]
            if not names:
                raise UserErrorException(f"there is no experiment with the id {experiment_id!r}")
            workspace._sdk.experiment(names[0]).delete()

    @staticmethod
    def from_directory(path: str, auth: Any = None) -> Experiment:
        """Refused: there are no attached folders."""
        refuse(
            "Experiment.from_directory",
            "folders are not attached to experiments any more; use Experiment(Workspace.from_config(), name)",
        )

    # For the rest of the facade

    @property
    def _sdk(self) -> SublightExperiment:
        """The Sublight experiment behind it."""
        return self._workspace._sdk.experiment(self._name)

    @property
    def _server_url(self) -> str:
        return self._workspace._sdk.url

    def _ensure(self) -> None:
        from sublight.sdk.errors import NotFound

        with translated():
            try:
                self._details = self._sdk.details
            except NotFound:
                self._sdk.ensure()

    def _known(self) -> Any:
        """What the server said of it last; asked for when nothing is known yet."""
        if self._details is None:
            self.refresh()
        return self._details

    def __repr__(self) -> str:
        return f"Experiment(Name: {self.name},\nWorkspace: {self.workspace.name})"

    def _repr_html_(self) -> str:
        address = escape(self.get_portal_url())
        return (
            '<table style="width:100%"><tr><th>Name</th><th>Workspace</th><th>Page</th></tr>'
            f"<tr><td>{escape(self.name)}</td><td>{escape(self.workspace.name)}</td>"
            f'<td><a href="{address}" target="_blank" rel="noopener">in the Sublight portal</a></td></tr></table>'
        )


def _of_summary(workspace: Workspace, summary: Any) -> Experiment:
    return Experiment(
        workspace,
        summary.name,
        _skip_name_validation=True,
        _id=summary.id,
        _create_in_cloud=False,
        _experiment_dto=summary,
    )


def _has_tags(has: Mapping[str, str], wanted: Any) -> bool:
    if not wanted:
        return True
    if isinstance(wanted, str):
        return wanted in has
    if isinstance(wanted, Mapping):
        return all(key in has and (value is None or has[key] == str(value)) for key, value in wanted.items())
    return all(_has_tags(has, one if not isinstance(one, tuple) else dict([one])) for one in wanted)
