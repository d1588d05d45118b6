"""What all pages share: the base of their values, and the commands that do the same in a terminal or in Python."""

from __future__ import annotations

from dataclasses import dataclass

ACTIVE = ("preparing", "running", "finishing", "stopping", "lost")
WAITING = ("created", "queued")
ENDED = ("completed", "failed", "canceled")

EXAMPLE_LINES = (
    "sublight cluster create cpu --size STANDARD_D3_V2 --max-nodes 4",
    "sublight submit examples/newsgroups/sweep.yml --on cpu",
    "sublight watch",
)


@dataclass(frozen=True)
class Elsewhere:
    """The same as a page, for a terminal and for Python."""

    cli: str
    sdk: str


class Page:
    """Base of a page's values.

    Templates read attributes of the page; those that cost a query are cached properties, so that a request for one
    fragment asks the services only for what that fragment shows.
    """

    fragments: tuple[str, ...] = ()
    title = "Sublight"
    place = ""

    @property
    def elsewhere(self) -> Elsewhere | None:
        return None
