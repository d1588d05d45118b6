"""Addresses of pages in the Sublight portal, for the objects that scripts print links of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from urllib.parse import quote


class HasPortal(ABC):
    """Something that has a page in the portal."""

    @abstractmethod
    def get_portal_url(self) -> str:
        """The address of its page. A browser that is not logged in is asked to; `sublight up` prints a link that does."""

    @property
    def portal_url(self) -> str:
        """The address of its page."""
        return self.get_portal_url()


class HasExperimentPortal(HasPortal):
    """An experiment's page: the history, filtered."""

    @property
    @abstractmethod
    def _server_url(self) -> str: ...

    @property
    @abstractmethod
    def name(self) -> str:
        """The experiment's name."""

    def get_portal_url(self) -> str:
        """The address of the history of its runs."""
        return f"{self._server_url}/runs?experiment={quote(self.name, safe='')}"
